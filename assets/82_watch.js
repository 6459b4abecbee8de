// What a spectator reads: the public data of an auction in tables.
(function () {
  'use strict';
  const headroom = window.headroom, D = headroom.pane, h = D.h, B = headroom.bidding;
  const MOST = 8; // products that a sum lists by name

  function path(prices) { // a small line of one product's prices, round by round
    const known = prices.map(function (p) { return p || 0; }), top = Math.max.apply(null, known.concat([1]));
    if (known.length < 2) return null;
    const points = known.map(function (p, i) { return (2 + 76 * i / (known.length - 1)).toFixed(1) + ',' + (20 - 17 * p / top).toFixed(1); }).join(' ');
    return h('svg', { class: 'hr-watch-path', viewBox: '0 0 80 22', 'aria-hidden': 'true' }, h('polyline', { points: points }));
  }
  function cell(kind, text) { return h('td', { class: kind }, text); }

  headroom.room.page('watch', function (root, room) {
    const part = {};
    root.querySelectorAll('[data-part]').forEach(function (one) { part[one.dataset.part] = one; });
    const say = B.Sayer(room);
    let rounds = [], upto = 0, practice = false, round = '', search = '';

    function fetchHistory() {
      const s = room.snapshot;
      if (s.round <= upto || s.practice !== practice) { rounds = []; upto = 0; }
      practice = s.practice;
      const from = upto;
      room.get('history?as=public&since=' + from).then(function (answer) {
        if (answer.status !== 200 || !answer.body || from !== upto) return;
        rounds = rounds.concat(answer.body.rounds.filter(function (one) { return one.round > from; }));
        upto = rounds.length ? rounds[rounds.length - 1].round : 0;
        draw();
      });
    }
    function lots() {
      const s = room.snapshot, want = search.trim().toLowerCase(), unit = ', ' + s.currency;
      const list = s.lots.map(function (lot, place) { return [lot, place]; }).filter(function (one) { return !want || (one[0].name + ' ' + one[0].id + ' ' + one[0].bus + ' ' + B.holderWords(one[0])).toLowerCase().indexOf(want) >= 0; });
      const sums = B.publicSums(s), page = { kind: 'watch', snapshot: s, by: B.lotsBy(s), history: { rounds: rounds } }, going = s.phase !== 'closed' && s.phase !== 'cancelled';
      return [
        h('div', { class: 'hr-bid-tools', key: 'tools' }, h('span', { class: 'hr-filter' }, h('input', { 'aria-label': 'Search a product', class: 'form-control hr-input hr-room-search', type: 'search', placeholder: 'Search', value: search, on: { input: function (event) { search = event.target.value; draw(); } } })),
        h('p', { class: 'hr-watch-sums' }, (s.phase === 'closed' ? 'Revenue ' : 'All standing prices '), B.whyRevenue('watch', s, D.number(sums.revenue) + ' ' + s.currency),
        ', ' + D.number(sums.held) + ' of ' + D.number(sums.blocks) + (s.phase === 'closed' ? ' sold' : ' with a bid'))),
        h('div', { class: 'hr-watch-scroll', key: 'table', tabindex: 0, role: 'region', 'aria-label': 'Products, scrolls' }, h('table', { class: 'hr-bid-table hr-watch-table', 'aria-label': 'Products' },
          h('thead', null, h('tr', null, [['Product', ''], ['Standing' + unit, 'hr-num'], ['Minimum' + unit, 'hr-num'], ['Holder', ''], ['New bids', 'hr-num'], ['Prices so far', ''], ['MW', 'hr-num'], ['Risk', 'hr-num'], ['Bus', '']].map(function (c) {
            return h('th', { scope: 'col', class: c[1] }, c[0]);
          }))),
          h('tbody', null, list.map(function (one) {
            const lot = one[0];
            return h('tr', { key: lot.id, class: 'hr-bid-row hr-watch-row' },
              h('th', { scope: 'row' }, lot.name), cell('hr-num', B.whyPrice(page, lot)), cell('hr-num', going ? B.whyMinimum(page, lot) : D.DASH),
              cell('', B.holderWords(lot)), cell('hr-num', D.number(lot.bids)), cell('', path(rounds.map(function (r) { return r.prices[one[1]]; }).concat([lot.price]))),
              cell('hr-num', D.megawatts(lot.mw).replace(' MW', '') + (lot.quantity > 1 ? ' \u00d7' + lot.quantity : '')),
              h('td', { class: 'hr-num ' + (lot.risk ? 'hr-sign-flexible' : 'hr-sign-firm') }, h('span', { class: 'hr-bid-risk' }, B.risk(lot))), cell('', lot.bus));
          })))),
      ];
    }
    // What the numbers beside the table come from
    function eligibility(s, seat) {
      return s.activity_rule ? D.why('watch-eligibility-' + seat.id, D.number(seat.eligibility), 'Eligibility of ' + seat.name, {
        values: [['Eligibility now', D.count(seat.eligibility, 'unit')]],
        note: 'The most units that the bidder may hold and bid on. It never rises; after a round with too little activity and no waiver it falls to activity / share of the stage.' }) : D.number(seat.eligibility);
    }
    function activity(s, seat) {
      if (seat.activity === null) return D.DASH;
      const share = B.requiredShare(s);
      return D.why('watch-activity-' + seat.id, D.number(seat.activity), 'Activity of ' + seat.name, {
        formula: 'activity = units held + units of new bids', values: [['In the last round', D.count(seat.activity, 'unit')], ['Eligibility now', D.count(seat.eligibility, 'unit')]].concat(s.activity_rule && share !== null ? [['Required share of eligibility', D.percent(share)]] : []) });
    }
    function dear(s, r) { // the products that cost most in it, and the rest as one line
      const parts = s.lots.map(function (lot, i) { return [lot.name + (lot.quantity > 1 ? ' \u00d7' + lot.quantity : ''), (r.prices[i] || 0) * lot.quantity]; }).filter(function (one) { return one[1] > 0; }).sort(function (a, b) { return b[1] - a[1]; });
      const total = function (list) { return list.reduce(function (sum, one) { return sum + one[1]; }, 0); }, most = parts.slice(0, MOST), rest = parts.slice(MOST);
      const rows = most.concat(rest.length ? [[D.count(rest.length, 'more product'), total(rest)]] : []).map(function (one) { return [one[0], D.number(one[1]) + ' ' + s.currency]; });
      return D.why('watch-sum-' + (r.practice ? 'p' : '') + r.round, D.number(total(parts)), 'Sum of prices after round ' + r.round, { formula: 'sum of price \u00d7 blocks over all products', values: rows });
    }
    function side() {
      const s = room.snapshot;
      return [
        B.section('told', 'From the host', B.told(s)),
        s.seats && s.seats.length ? B.section('seats', 'Bidders', h('div', { class: 'hr-room-scroll' }, h('table', { class: 'hr-room-table' },
          h('thead', null, h('tr', null, ['Bidder', 'Eligibility', 'Activity', 'Waivers'].map(function (c, i) { return h('th', { scope: 'col', class: i ? 'hr-num' : '' }, c); }))),
          h('tbody', null, s.seats.map(function (seat) { return h('tr', { key: seat.id }, h('th', { scope: 'row' }, seat.name), cell('hr-num', eligibility(s, seat)), cell('hr-num', activity(s, seat)), cell('hr-num', D.number(seat.waivers))); })))))
          : B.section('seats', 'Bidders', h('p', null, D.count(s.bidders, 'bidder') + '. Who bids what is not told before the end.')),
        B.section('rounds', 'Rounds', rounds.length ? h('div', { class: 'hr-room-scroll' }, h('table', { class: 'hr-room-table' },
          h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Round'), h('th', { scope: 'col', class: 'hr-num' }, 'New bids'), h('th', { scope: 'col', class: 'hr-num' }, 'Products bid on'), h('th', { scope: 'col', class: 'hr-num' }, 'Sum of prices, ' + s.currency))),
          h('tbody', null, rounds.slice().reverse().map(function (r) {
            return h('tr', { key: r.round }, h('th', { scope: 'row' }, (r.practice ? 'practice ' : '') + r.round), cell('hr-num', D.number(r.bids.reduce(function (a, b) { return a + b; }, 0))),
              cell('hr-num', D.number(r.bids.filter(function (n) { return n > 0; }).length)), cell('hr-num', dear(s, r)));
          })))) : h('p', { class: 'hr-muted' }, 'No round has closed yet.')),
        B.section('rules', 'The rules', h('ul', { class: 'hr-room-rules' }, (s.rules_words || []).map(function (line, i) { return h('li', { key: i }, line); }))),
      ];
    }
    function top() {
      if (room.snapshot) D.draw(part.head, B.head(room, h('span', { class: 'hr-muted' }, 'You watch; you cannot bid here')));
      D.draw(part.state, B.states(room, null));
    }
    function draw() {
      top();
      if (!room.snapshot) return;
      D.draw(part.lots, lots());
      D.draw(part.side, side());
    }
    return {
      draw: function (s) {
        if (s) {
          const now = (s.practice ? 'practice ' : '') + s.phase + s.round;
          if (now !== round) { if (round) room.say(B.phaseWords(s)); round = now; window.setTimeout(fetchHistory, 700 * Math.random()); }
        }
        draw();
      },
      tick: function () { top(); say(); },
    };
  });
})();
