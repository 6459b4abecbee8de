// The screen for the room, to be read from ten metres: the price ladder, demand, places, the clock, how to join.
(function () {
  'use strict';
  const headroom = window.headroom, D = headroom.pane, h = D.h, B = headroom.bidding;
  const ROW = 76, TALL = 112, HIGHEST = 124, COLUMN = 520; // pixels: a row, one in larger type, the narrowest column
  const TURN_MS = 9000; // how long a part of a long ladder is shown
  const WHO = 10, WHO_ROW = 43, WHO_BESIDE = 250; // bidders listed at most; pixels: one of them, and what stands beside the list

  function demandColour(lot) { return headroom.layerColour({ palette: 'cividis', labels: B.DEMAND }, B.demandClass(lot)) || 'transparent'; }
  function demandWords(lot) { return lot.bids ? D.count(lot.bids, 'new bid') : ''; }
  function qr(rows) { // the code as one shape on white, whatever the theme, with the quiet border that readers need
    const size = rows.length, border = 4;
    let path = '';
    rows.forEach(function (row, y) {
      for (let x = 0; x < row.length; x += 1) if (row[x] === '1') path += 'M' + (x + border) + ' ' + (y + border) + 'h1v1h-1z';
    });
    return h('svg', { class: 'hr-screen-qr', viewBox: '0 0 ' + (size + 2 * border) + ' ' + (size + 2 * border), role: 'img', 'aria-label': 'QR code of the address to join at', 'shape-rendering': 'crispEdges' },
      h('rect', { width: '100%', height: '100%', fill: '#ffffff' }), h('path', { d: path, fill: '#000000' }));
  }
  // The blocks with a bid, once it is over those that were sold: [{name (null while it is not public), lot, amount}]
  function taken(s) {
    const found = [], names = new Map(s.lots.map(function (lot) { return [lot.id, lot.name]; }));
    if (s.outcome) s.outcome.forEach(function (one) { one.won.forEach(function (won) { found.push({ name: one.name, lot: names.get(won.lot), amount: won.amount }); }); });
    else s.lots.forEach(function (lot) { lot.standing.forEach(function (amount, i) { found.push({ name: lot.holders ? lot.holders[i] : null, lot: lot.name, amount: amount }); }); });
    return found;
  }
  function sums(s) {
    const found = { revenue: 0, blocks: 0, held: 0, bids: 0, wanted: 0 };
    s.lots.forEach(function (lot) {
      found.blocks += lot.quantity;
      found.bids += lot.bids || 0;
      if (lot.bids) found.wanted += 1;
    });
    taken(s).forEach(function (one) { found.held += 1; found.revenue += one.amount; });
    return found;
  }
  function whyRevenue(kind, s, text) {
    const all = sums(s), name = s.phase === 'closed' ? 'Revenue' : 'All standing prices';
    return D.why(kind + '-revenue', text, name, { formula: s.phase === 'closed' ? 'sum of the bids on all blocks that were sold' : 'sum of the standing bids of all blocks',
      values: [[s.phase === 'closed' ? 'Blocks sold' : 'Blocks with a bid', D.number(all.held) + ' of ' + D.number(all.blocks)]], note: s.phase === 'closed' ? 'A block below its reserve is not sold.' : 'Whoever holds a block pays the bid that stands on it when the auction ends.' });
  }
  // Who stands where, when it is public, and who pays most first: [{name, blocks, pay, bids: [[product, amount]]}]
  function holders(s) {
    const found = new Map();
    taken(s).forEach(function (block) {
      if (block.name === null) return;
      const one = found.get(block.name) || { name: block.name, blocks: 0, pay: 0, bids: [] };
      one.blocks += 1;
      one.pay += block.amount;
      one.bids.push([block.lot, block.amount]);
      found.set(block.name, one);
    });
    return Array.from(found.values()).sort(function (a, b) { return b.pay - a.pay || a.name.localeCompare(b.name); });
  }

  headroom.room.page('screen', function (root, room) {
    const part = {};
    root.querySelectorAll('[data-part]').forEach(function (one) { part[one.dataset.part] = one; });
    const map = B.map('auction-screen', root, 11);
    let turn = 0, shown = [0, 0, 1], reader = null, before = new Map(), risen = new Set(), round = '';

    function head() {
      const s = room.snapshot, time = B.clock(room);
      D.draw(part.head, [
        h('div', { class: 'hr-screen-title' }, h('h2', null, s.title), s.practice ? h('p', { class: 'hr-screen-practice' }, 'Practice: nothing counts') : h('p', null, B.stageWords(s))),
        h('div', { class: 'hr-screen-round' }, B.phaseWords(s)),
        h('div', { class: 'hr-screen-clock' + (time.last ? ' hr-room-last' : ''), role: 'timer' }, h('strong', null, s.phase === 'open' || s.phase === 'paused' ? time.text : ''),
          h('span', null, time.words)),
      ]);
    }
    function ladder() {
      const s = room.snapshot, box = part.ladder, named = s.information !== 'anonymous' || s.phase === 'closed';
      const few = s.lots.length * TALL <= box.clientHeight, rows = Math.max(1, Math.floor(box.clientHeight / ROW)), columns = Math.max(1, Math.floor(box.clientWidth / COLUMN));
      const fits = rows * columns, parts = Math.ceil(s.lots.length / fits);
      const from = (turn % parts) * fits, list = s.lots.slice(from, from + fits), used = few ? 1 : Math.ceil(list.length / rows), lines = Math.ceil(list.length / used);
      shown = [from, list.length, parts];
      const top = Math.max.apply(null, s.lots.map(function (lot) { return lot.price || 0; }).concat([1]));
      D.draw(box, h('ol', { class: 'hr-screen-list' + (few ? ' hr-screen-few' : ''), style: { 'grid-template-columns': 'repeat(' + used + ', minmax(0, 1fr))', 'grid-template-rows': 'repeat(' + lines + ', ' + Math.min(HIGHEST, Math.floor(box.clientHeight / lines)) + 'px)' } },
        list.map(function (lot) {
          return h('li', { key: lot.id, class: risen.has(lot.id) ? 'hr-screen-risen' : '' },
            h('strong', { class: 'hr-screen-name' }, lot.name), h('span', { class: 'hr-screen-price' }, B.whyPrice(reader, lot, next(s, lot))),
            h('span', { class: 'hr-screen-holder' }, lot.held ? (named ? B.holderWords(lot) : '') : 'no bid yet'), h('span', { class: 'hr-screen-bids' }, demandWords(lot)),
            h('span', { class: 'hr-screen-bar', 'aria-hidden': 'true' }, h('span', { style: { width: (100 * (lot.price || 0) / top).toFixed(1) + '%', background: demandColour(lot) } })));
        })));
    }
    function next(s, lot) { // what the next bid must be at least: it is in the card of the price
      return s.phase === 'closed' || s.phase === 'cancelled' || lot.minimum === null ? []
        : [['Increment', money(s, lot.increment)], ['Next bid at least', money(s, lot.minimum)]];
    }
    function money(s, amount) { return B.money({ snapshot: s }, amount); }
    function side() {
      const s = room.snapshot, all = sums(s), join = s.join, open = s.phase === 'set up' || s.practice;
      const big = join && open;
      const frame = root.querySelector('[data-seat-map]');
      let placed = 0;
      if (big) { if (frame) frame.hidden = true; } else placed = map.draw(s, null, null);
      const standing = big || placed ? [] : holders(s), rules = big || placed || standing.length ? [] : (s.rules_words || []).slice(0, 5);
      D.draw(part.side, [
        big ? h('section', { class: 'hr-screen-join', key: 'join' },
          h('h3', null, 'Join with your phone'), join.qr && qr(join.qr),
          h('p', { class: 'hr-screen-code' }, join.code), h('p', { class: 'hr-screen-address' }, (join.address || window.location.origin + '/auction/join').replace(/^https?:\/\//, '').replace(/\?.*$/, ''))) : null,
        !open && h('dl', { class: 'hr-screen-sums', key: 'sums' },
          h('div', null, h('dt', null, s.phase === 'closed' ? 'Revenue' : 'All standing prices'), h('dd', null, whyRevenue('screen', s, money(s, all.revenue)))),
          h('div', null, h('dt', null, s.phase === 'closed' ? 'Sold' : 'With a bid'), h('dd', null, D.number(all.held) + ' of ' + D.number(all.blocks))),
          s.phase !== 'closed' && h('div', null, h('dt', null, 'New bids in the last round'), h('dd', null, D.number(all.bids) + (all.wanted ? ' on ' + D.count(all.wanted, 'product') : '')))),
        rules.length > 0 && h('ul', { class: 'hr-screen-rules', key: 'rules', 'aria-label': 'Rules' }, rules.map(function (line, i) { return h('li', { key: i }, line); })),
        standing.length > 0 && who(s, standing),
      ]);
    }
    function who(s, standing) {
      const closed = s.phase === 'closed', word = s.lots.some(function (lot) { return lot.quantity > 1; }) ? 'block' : 'product';
      const most = Math.max(1, Math.min(WHO, Math.floor((part.side.parentElement.clientHeight - WHO_BESIDE) / WHO_ROW))), list = standing.slice(0, most), more = standing.length - list.length;
      return h('section', { class: 'hr-screen-who', key: 'who' },
        h('h3', null, closed ? 'Who pays most' : 'Who would pay most'),
        h('ol', null, list.map(function (one) {
          return h('li', { key: one.name }, h('span', null, one.name), h('strong', null, D.count(one.blocks, word) + ', ', D.why('screen-pay-' + one.name, money(s, one.pay), one.name + (closed ? ' pays' : ' would pay'), {
            formula: 'sum of the standing bids', values: one.bids.slice(0, WHO).map(function (bid) { return [bid[0], money(s, bid[1])]; }).concat(one.bids.length > WHO ? [[D.count(one.bids.length - WHO, 'more'), money(s, one.bids.slice(WHO).reduce(function (sum, bid) { return sum + bid[1]; }, 0))]] : []) })));
        })),
        more > 0 && h('p', { key: 'more' }, 'and ' + D.number(more) + ' more ' + (closed ? 'won' : more === 1 ? 'holds' : 'hold') + ' something'));
    }
    function foot() {
      const s = room.snapshot, list = s.announcements || [], last = list[list.length - 1], small = s.join && s.phase !== 'set up' && !s.practice && s.phase !== 'closed' && s.phase !== 'cancelled';
      const words = s.phase === 'paused' ? 'Paused by the host' : s.phase === 'closed' ? 'The auction is over. ' + B.sentence(s.ended_because) : s.phase === 'cancelled' ? 'Cancelled. ' + B.sentence(s.ended_because)
        : s.phase === 'set up' ? 'Waiting for the opening: ' + D.count(s.bidders, 'bidder') + ' registered' : room.left() !== null && room.left() <= 0 ? 'Round ' + s.round + ' is over' : last ? last.text : '';
      D.draw(part.foot, [
        h('p', { class: 'hr-screen-words' }, words),
        shown[2] > 1 && h('p', { key: 'part' }, 'Products ' + (shown[0] + 1) + D.DASH + (shown[0] + shown[1]) + ' of ' + D.number(s.lots.length)),
        small && h('p', { class: 'hr-screen-late', key: 'late' }, 'Join: ', h('strong', null, s.join.code)),
      ]);
    }
    function draw() {
      if (!room.snapshot || room.refusal) {
        D.draw(part.head, null);
        D.draw(part.ladder, B.states(room, null));
        return;
      }
      reader = { kind: 'screen', snapshot: room.snapshot, by: B.lotsBy(room.snapshot), history: { rounds: [] } };
      head();
      side();
      ladder();
      foot();
    }
    const sizes = new ResizeObserver(function () { if (room.snapshot) draw(); });
    sizes.observe(part.ladder);
    const turning = window.setInterval(function () {
      if (shown[2] > 1 && !root.querySelector('.hr-popover[data-open]')) { turn += 1; draw(); } // not under a card that is being read
    }, TURN_MS);
    document.addEventListener('headroom:theme', draw);

    return {
      draw: function (s) {
        if (s && !room.refusal) {
          const now = (s.practice ? 'p' : '') + s.round;
          if (now !== round) {
            round = now;
            risen = new Set(s.lots.filter(function (lot) { return before.has(lot.id) && before.get(lot.id) !== lot.price; }).map(function (lot) { return lot.id; }));
            s.lots.forEach(function (lot) { before.set(lot.id, lot.price); });
            room.say(B.phaseWords(s));
          }
        }
        draw();
      },
      tick: function () { if (!room.refusal) { head(); foot(); } },
      gone: function () { sizes.disconnect(); window.clearInterval(turning); document.removeEventListener('headroom:theme', draw); map.gone(); },
    };
  });

  Object.assign(B, { publicSums: sums, whyRevenue: whyRevenue, holders: holders });
})();
