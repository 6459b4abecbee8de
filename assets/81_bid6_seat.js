// The seat: keeps what is ticked, asks what it would mean, sends it in one press, and shows the receipt.
(function () {
  'use strict';
  const headroom = window.headroom, D = headroom.pane, h = D.h, B = headroom.bidding;
  const WHAT_IF_MS = 450; // after the last change
  const RECEIPT_S = 10; // a receipt so young outlives the round that it was for
  const LOOK_MS = 800; // after a new round has begun, before a press counts: it was meant for the old one

  headroom.room.page('seat', function (root, room) {
    const part = {};
    root.querySelectorAll('[data-part]').forEach(function (one) { part[one.dataset.part] = one; });
    const say = B.Sayer(room);
    const map = B.map('auction-seat', root);
    const seat = {
      kind: 'seat', room: room, snapshot: null, mine: null, by: new Map(),
      form: new Map(), refused: new Map(), // lot -> {rule, words}
      sent: null, // {turn, list}: bids on their way, or acknowledged before a snapshot told of them
      history: { rounds: [], upto: 0, practice: false }, outbid: [], notes: [], // what became of my last bids
      search: '', show: 'all', sort: { key: '', down: false },
      whatIf: null, // {key, answer} for the bids with this key
      sending: false, receipt: null, dialog: null, unread: {}, link: '', chosen: null, // a product pressed on the map
    };
    let round = '', asked = null, heard = 0, seen = 0, turned = -LOOK_MS, announced = null, unseen = 0;

    seat.redraw = draw;
    seat.changed = function () { seat.refused.clear(); B.keep(seat); askWhatIf(); draw(); };
    seat.change = function (lot, entry) { seat.form.set(lot.id, entry); seat.refused.delete(lot.id); B.keep(seat); askWhatIf(); draw(); };
    seat.press = press;
    seat.takeBack = function () { act({ what: 'take back' }, 'The seat is yours again'); };
    seat.withdraw = function (one) {
      const lot = seat.by.get(one.lot).lot;
      confirm('Withdraw the bid on ' + lot.name, [
        h('p', null, 'You stop holding ' + lot.name + ' at ' + B.money(seat, one.amount) + '. This uses one of your ' + D.count(seat.mine.withdrawal_rounds, 'round') + ' to withdraw in.'),
        h('p', null, 'If it is sold again for less you pay the difference, for as much or more nothing. Until then, and if nobody buys it here, the interim payment stands.'),
        h('dl', { class: 'hr-facts' }, B.fact('Interim payment', B.money(seat, one.interim)), B.fact('The difference is at most', B.money(seat, one.amount))),
      ], 'Withdraw', function () { act({ what: 'withdraw', lots: B.withdrawn(seat).concat([one.lot]) }, 'The withdrawal of ' + lot.name + ' is received'); });
    };
    seat.keepBid = function (id) { // what is sent replaces the list of before
      act({ what: 'withdraw', lots: B.withdrawn(seat).filter(function (other) { return other !== id; }) }, 'The bid on ' + seat.by.get(id).lot.name + ' stays');
    };

    // What the ticked bids would mean, from the server, who alone knows my values as a whole ------------------------
    function askWhatIf() {
      window.clearTimeout(asked);
      asked = window.setTimeout(whatIf, WHAT_IF_MS);
    }
    function whatIf() {
      window.clearTimeout(asked);
      const list = B.bids(seat).list, key = seat.snapshot.round + ' ' + B.keyOf(list);
      if (!seat.mine || !seat.mine.values || (!list.length && !seat.mine.holdings.length)) { seat.whatIf = null; return Promise.resolve(null); }
      if (seat.whatIf && seat.whatIf.key === key) return Promise.resolve(seat.whatIf.answer);
      return room.post('what-if', { bids: list }, false).then(function (answer) {
        if (answer.status !== 200 || !answer.body) return { failed: true };
        if (!answer.body.known) return null;
        seat.whatIf = { key: key, answer: answer.body };
        seat.known = answer.body;
        draw();
        return answer.body;
      });
    }
    function known() { // the answer for what is ticked now
      const list = B.bids(seat).list;
      return seat.whatIf && seat.whatIf.key === seat.snapshot.round + ' ' + B.keyOf(list) ? seat.whatIf.answer : null;
    }
    function lotNames(list) { return list.map(function (id) { return seat.by.has(id) ? seat.by.get(id).lot.name : id; }).join(', '); }
    function exposed(answer) { return Boolean(answer && answer.worst); }
    function exposureWords(answer) {
      const asked = B.bids(seat).list;
      if (asked.length === 1 && asked[0][2] === 1 && answer.worst.lots.length === 1) return 'If it is won you could lose ' + (answer.worst.exact ? '' : 'at least ') + B.money(seat, answer.worst.loss) + '.';
      return 'If only part is won you could lose ' + (answer.worst.exact ? '' : 'at least ') + B.money(seat, answer.worst.loss) + (answer.worst.lots.length ? ', with ' + lotNames(answer.worst.lots.map(function (one) { return one.lot; })) + ' alone' : '') + '.';
    }

    // Sending ---------------------------------------------------------------------------------------------------------
    function press() {
      const may = B.may(seat), ticked = B.bids(seat);
      if (seat.sending || performance.now() - turned < LOOK_MS) return;
      if (!may.open) { room.say(may.words); return; }
      if (ticked.unreadable.length) {
        room.say('A bid is no whole number');
        const row = part.lots.querySelector('[aria-invalid="true"]');
        if (row) row.focus();
        return;
      }
      if (seat.mine.acted && B.keyOf(ticked.list) === B.sentKey(seat)) return;
      seat.sending = true;
      draw();
      const turn = seat.snapshot.turn;
      whatIf().then(function (answer) {
        seat.sending = false;
        if (turn !== seat.snapshot.turn) { draw(); return; }
        if (answer && answer.failed) {
          draw();
          confirm('The warning could not be worked out', [h('p', null, 'The server did not say whether a part of these bids would be a loss to you.')], 'Send all the same', function () { send(ticked.list); });
          return;
        }
        if (!exposed(answer)) { send(ticked.list); return; }
        draw();
        confirm('Part of this may be a loss', [
          h('p', null, exposureWords(answer)),
          h('dl', { class: 'hr-facts' }, B.fact('Surplus if all are won', B.money(seat, answer.surplus_all)), B.fact('Most you could lose', B.money(seat, answer.worst.loss))),
        ], 'Send all the same', function () { send(ticked.list); });
      });
    }
    function send(list) { act({ what: 'bids', bids: list }, null); }
    function act(what, done) {
      const before = seat.mine.acted && seat.mine.acted.bids.length;
      seat.sending = true;
      seat.receipt = null;
      seat.refused.clear();
      draw();
      const turn = seat.snapshot.turn, inRound = seat.snapshot.round;
      seat.sent = what.bids ? { turn: turn, list: what.bids } : null;
      if (seat.mine) seat.before = B.remember(seat);
      room.post('act', Object.assign({ round: inRound, turn: turn }, what)).then(function (answer) {
        const body = answer.body || {};
        seat.sending = false;
        if (!body.accepted) { seat.sent = null; if (seat.snapshot.turn === turn) seat.before = B.remember(seat); }
        B.keep(seat);
        const at = body.at || room.now();
        if (body.accepted) {
          const bids = body.confirmed || [];
          const title = done || (bids.length ? D.count(bids.length, 'bid') + ' confirmed in round ' + inRound : before ? 'All your bids of this round are taken back' : 'You pass in round ' + inRound);
          seat.receipt = { good: true, title: title, at: at, lines: done ? [] : bids.map(function (bid) { return lotNames([bid.lot]) + (bid.blocks > 1 ? ' \u00d7' + bid.blocks : '') + ' at ' + B.money(seat, bid.amount); }) };
        } else if (body.refused && body.refused.length) {
          body.refused.forEach(function (one) { if (one.lot && seat.by.has(one.lot)) seat.refused.set(one.lot, one); });
          seat.receipt = { good: false, title: 'Refused, and nothing of it was taken', at: at, lines: body.refused.map(function (one) { return (one.lot ? lotNames([one.lot]) + ': ' : '') + 'rule \u201c' + one.rule + '\u201d: ' + one.words; }) };
        } else if (answer.status === 0 || answer.status >= 500) seat.receipt = { good: false, title: 'No answer', at: at, lines: ['It is not known whether this arrived. What did is marked \u201cConfirmed\u201d beside its product when the connection is back.'] };
        else seat.receipt = { good: false, title: body.error || 'Refused', at: at, lines: [body.detail || 'The server gave no reason.'] };
        room.say(seat.receipt.title + '. ' + seat.receipt.lines.join('. '));
        draw();
      });
    }

    // A question before something that costs ------------------------------------------------------------------------------
    function confirm(title, words, verb, then) { seat.dialog = { title: title, words: words, verb: verb, then: then }; draw(); }
    function drawDialog() {
      const asks = seat.dialog;
      D.draw(part.dialog, asks && h('dialog', { class: 'hr-room-dialog', 'aria-labelledby': 'seat-dialog-title', on: { close: function () { seat.dialog = null; drawDialog(); } } },
        h('h2', { id: 'seat-dialog-title', class: 'hr-dialog-title' }, asks.title), asks.words,
        h('div', { class: 'hr-dialog-buttons' },
          h('button', { type: 'button', class: 'hr-button', on: { click: function () { part.dialog.firstChild.close(); } } }, 'Back'),
          asks.verb && h('button', { type: 'button', class: 'hr-button hr-button-primary', on: { click: function () { const then = asks.then; part.dialog.firstChild.close(); then(); } } }, asks.verb))));
      const box = part.dialog.firstChild;
      if (box && !box.open) box.showModal();
    }

    // Bids from a file -----------------------------------------------------------------------------------------------------
    function readFile(file) {
      if (!file) return;
      file.text().then(function (text) { return room.post('bid-file', { name: file.name, text: text }, false); }).then(function (answer) {
        const body = answer.body || {}, problems = body.problems || [];
        if (answer.status !== 200) { seat.receipt = { good: false, title: file.name + ' was not read', at: room.now(), lines: [body.detail || body.error || 'The server does not answer.'] }; draw(); return; }
        if (body.bids.length && !problems.length) {
          seat.form.clear();
          body.bids.forEach(function (bid) { seat.form.set(bid[0], { on: true, text: String(bid[1]), blocks: bid[2] || 1 }); });
          seat.show = 'ticked';
        }
        seat.receipt = {
          good: !problems.length, at: room.now(), title: problems.length ? file.name + ': nothing was ticked, mend these lines' : D.count(body.bids.length, 'bid') + ' ticked from ' + file.name + ', not sent yet',
          lines: problems.map(function (one) { return one.words.charAt(0).toUpperCase() + one.words.slice(1); }),
        };
        room.say(seat.receipt.title);
        seat.changed();
      });
    }
    function template() {
      const lines = ['lot,amount,blocks'].concat(seat.snapshot.lots.filter(function (lot) { return B.free(seat, lot) > 0; }).map(function (lot) {
        return (/[",\n]/.test(lot.id) ? '"' + lot.id.replace(/"/g, '""') + '"' : lot.id) + ',' + lot.minimum + ',1';
      }));
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([lines.join('\n') + '\n'], { type: 'text/csv' }));
      link.download = 'bids-round-' + seat.snapshot.round + '.csv';
      link.click();
      URL.revokeObjectURL(link.href);
    }
    function showLink() {
      room.post('key', {}, false).then(function (answer) {
        seat.link = answer.body && answer.body.key ? window.location.origin + '/auction/join#key=' + answer.body.key : '';
        confirm('My personal link', [
          h('p', null, 'Opens this seat on any device. Whoever has it can bid for you: keep it to yourself.'),
          seat.link ? h('div', { class: 'hr-room-copy' }, h('input', { class: 'form-control hr-input', id: 'seat-link', readonly: true, 'aria-label': 'My personal link', value: seat.link }), h('button', { type: 'button', class: 'hr-button', 'data-copy': 'seat-link' }, 'Copy'))
            : h('p', { role: 'alert' }, (answer.body && (answer.body.detail || answer.body.error)) || 'The server does not answer. Try again.'),
        ], '', null);
      });
    }

    // Rounds: what became of my bids, and what of the form goes on
    function newRound() {
      const s = seat.snapshot, key = B.roundKey(s), before = seat.before, mine = seat.mine;
      const stage = mine && before ? B.stageBegins(seat, before) : '';
      if (key === round) {
        if (stage) { seat.notes.push(stage); room.say(stage); }
        elsewhere();
        return;
      }
      const first = round === '';
      round = key;
      seat.dialog = null; // a question about a round that is over
      seat.notes = [];
      seat.outbid = [];
      if (mine && before && !first) {
        const found = B.outcome(seat, before, lotNames), next = B.carried(seat, before);
        seat.notes = found.notes;
        seat.outbid = found.outbid;
        seat.form = next.form;
        if (stage) seat.notes.push(stage);
        if (seat.show === 'ticked' && !next.left) seat.show = 'all';
        if (next.left) seat.notes.push(D.count(next.left, 'ticked bid') + ' of the round before ' + (next.left === 1 ? 'was' : 'were') + ' not sent and ' + (next.left === 1 ? 'is' : 'are') + ' still ticked, at no less than the new minimum.');
        room.say((s.phase === 'open' ? B.phaseWords(s) + ' begins' : B.phaseWords(s)) + '. ' + seat.notes.join(' '));
      } else if (mine) seat.form = B.kept(seat) || B.fresh(seat);
      B.keep(seat);
      seat.refused.clear();
      seat.whatIf = null;
      seat.known = null;
      turned = first ? -LOOK_MS : performance.now();
      if (!first) window.setTimeout(draw, LOOK_MS + 20);
      askWhatIf();
      if (seat.receipt && room.now() - seat.receipt.at > RECEIPT_S) seat.receipt = null;
      window.setTimeout(fetchHistory, first ? 0 : 700 * Math.random()); // not everybody at once
    }
    // The same seat on another device: what it sends comes into this form too, unless something else is ticked here.
    function elsewhere() {
      const acted = seat.mine && seat.mine.acted, before = seat.before;
      if (!acted || !before || seat.sending || B.sentKey(seat) === before.sent) return;
      if (B.keyOf(B.bids(seat).list) === before.sent) seat.form = B.fresh(seat);
      else seat.notes = ['Another device of yours sent ' + D.count(acted.bids.length, 'bid') + ' at ' + D.clockTime(acted.at) + '; sending here replaces ' + (acted.bids.length === 1 ? 'it' : 'them') + '.'];
    }
    function fetchHistory() {
      const s = seat.snapshot, have = seat.history;
      if (s.round <= have.upto || s.practice !== have.practice) { have.rounds = []; have.upto = 0; } // annulled, or practice over
      have.practice = s.practice;
      room.get('history?as=bidder&since=' + have.upto).then(function (answer) {
        if (answer.status !== 200 || !answer.body || have !== seat.history) return;
        const last = have.upto;
        have.rounds = have.rounds.concat(answer.body.rounds.filter(function (one) { return one.round > last; }));
        have.upto = have.rounds.length ? have.rounds[have.rounds.length - 1].round : 0;
        draw();
      });
    }
    function newWords() {
      const list = seat.snapshot.announcements || [], newest = list.length ? list[list.length - 1].at : 0;
      if (seen && newest > seen) {
        const fresh = list.filter(function (one) { return one.at > seen; }), text = fresh[fresh.length - 1].text;
        unseen = (announced && announced.isConnected ? unseen + 1 : 0) + fresh.length - 1;
        if (announced) announced.remove(); // one at a time: on a phone several would cover the bids
        announced = headroom.toast('The host' + (unseen ? ' (' + D.number(unseen) + ' more under News)' : '') + ': ' + (text.length > 160 ? text.slice(0, 159) + '\u2026' : text), null, true);
        seat.unread.news = true;
      }
      seen = Math.max(newest, 1);
    }

    // Drawing -----------------------------------------------------------------------------------------------------------
    function bar() {
      const mine = seat.mine;
      if (!mine || seat.snapshot.phase === 'closed' || seat.snapshot.phase === 'cancelled') return null;
      const sums = B.totals(seat), may = B.may(seat), answer = known(), acted = mine.acted, gone = B.withdrawn(seat), n = sums.list.length;
      const same = acted && B.keyOf(sums.list) === B.sentKey(seat);
      const sentence = n === 0 ? (acted && acted.waiver ? 'A waiver is used in this round' : acted && acted.reduce ? 'Your eligibility will fall instead of a waiver' : acted && acted.bids.length ? 'Take back all bids of this round' : gone.length ? 'You withdraw ' + lotNames(gone) : acted ? 'You pass in this round' : may.open ? 'Tick the products to bid on, or pass' : may.words.replace(/\.$/, ''))
        : 'Bid ' + D.count(n, 'product') + ', pay up to ' + B.money(seat, sums.pay);
      const lines = [];
      if (seat.snapshot.activity_rule && sums.over) lines.push(h('span', { key: 'over', class: 'hr-bid-warn' }, D.number(sums.over) + ' units more than your eligibility of ' + D.number(mine.eligibility) + ': it will be refused.'));
      else if (mine.required && sums.short && may.open) lines.push(h('span', { key: 'short', class: 'hr-bid-warn' }, D.number(sums.short) + ' units short of the ' + D.number(mine.required) + ' required: ' + (mine.waivers && !(acted && acted.reduce) ? 'a waiver is used (' + mine.waivers + ' left).' : 'your eligibility falls.')));
      if (answer && n) {
        lines.push(h('span', { key: 'all' }, 'If all are won: surplus ' + B.money(seat, answer.surplus_all) + '.'));
        if (exposed(answer)) lines.push(h('span', { key: 'worst', class: 'hr-bid-warn' }, exposureWords(answer)));
      }
      return [
        seat.notes.length > 0 && h('div', { class: 'hr-bid-note', key: 'notes' }, h('span', null, seat.notes.join(' ')), closeButton(function () { seat.notes = []; draw(); })),
        seat.receipt && h('div', { class: 'hr-bid-receipt' + (seat.receipt.good ? '' : ' hr-bid-bad'), key: 'receipt' },
          h('div', null, h('strong', null, seat.receipt.title), seat.receipt.at ? h('time', null, D.clockTime(seat.receipt.at)) : null,
            seat.receipt.lines.length > 0 && h('ul', null, seat.receipt.lines.map(function (text, i) { return h('li', { key: i }, text); }))),
          closeButton(function () { seat.receipt = null; draw(); })),
        h('div', { class: 'hr-bid-press-row', key: 'row' },
          h('div', { class: 'hr-bid-sentence' },
            h('p', null, sentence, seat.snapshot.activity_rule && sums.share !== null && (n || may.open) ? [', activity ', D.why('seat-bar-activity', D.percent(sums.share, 0), 'My activity', { formula: 'activity = (units held + units of new bids) / eligibility',
              values: [['Units held and not withdrawn', D.number(sums.held)], ['Units of ticked bids', D.number(sums.units)], ['Eligibility', D.number(mine.eligibility)], ['Required', mine.required ? D.number(mine.required) + ' units' : 'nothing']] })] : null),
            lines.length > 0 && h('p', { class: 'hr-bid-lines' }, lines)),
          more(may),
          h('button', { type: 'button', class: 'hr-button hr-button-primary hr-room-press hr-bid-send', disabled: seat.sending || !may.open || same || performance.now() - turned < LOOK_MS, title: may.words, on: { click: press } },
            seat.sending ? 'Sending' : same ? (n ? 'Sent' : acted.waiver ? 'Waiver used' : gone.length ? 'Sent' : 'Passed') : n ? 'Send' : acted && acted.bids.length ? 'Take back' : 'Pass')),
      ];
    }
    function closeButton(then) { return h('button', { type: 'button', class: 'hr-button hr-button-quiet', on: { click: then } }, 'Close'); }
    function more(may) {
      const mine = seat.mine;
      const item = function (key, text, note, on, off) {
        return h('button', { type: 'button', key: key, class: 'hr-menu-item hr-room-item', disabled: off, 'data-popover-close': '', on: { click: on } }, h('span', null, text, note && h('small', null, note)));
      };
      return h('span', { class: 'hr-popover-anchor', key: 'more' },
        h('button', { type: 'button', class: 'hr-button hr-room-press', 'data-popover': 'seat-more', 'aria-expanded': 'false', 'aria-haspopup': 'dialog' }, 'More'),
        h('span', { class: 'hr-popover', role: 'dialog', 'aria-label': 'More that I can do', 'data-popover-panel': 'seat-more', style: { width: '320px' } }, h('div', { id: 'seat-more' },
          seat.snapshot.activity_rule && item('waiver', 'Use a waiver now', mine.waivers ? D.number(mine.waivers) + ' left. It keeps my eligibility and keeps the auction open.' : 'None is left.', function () {
            confirm('Use a waiver in round ' + seat.snapshot.round, [h('p', null, 'Your eligibility stays at ' + D.number(mine.eligibility) + ' units whatever your activity in this round. You have ' + D.count(mine.waivers, 'waiver') + '. The auction does not close in a round with such a waiver.')], 'Use a waiver', function () { act({ what: 'waiver' }, 'The waiver is received'); });
          }, !may.open || !mine.waivers),
          seat.snapshot.activity_rule && item('reduce', 'Let my eligibility fall', 'Instead of a waiver, if my activity is short.', function () {
            const sums = B.totals(seat), share = B.requiredShare(seat.snapshot);
            confirm('Let the eligibility fall', [h('p', null, 'If your activity is short in this round, no waiver is used and your eligibility falls' + (share ? ' to activity / ' + D.percent(share) + ': with what is ticked now ' + D.number(Math.min(mine.eligibility, Math.floor(sums.activity / share + 1e-9))) + ' units.' : '.') + ' It never rises again.')], 'Let it fall', function () { act({ what: 'reduce' }, 'Received: your eligibility may fall'); });
          }, !may.open),
          h('label', { class: 'hr-menu-item hr-room-item hr-menu-upload', key: 'file' }, h('span', null, 'Bids from a file', h('small', null, 'CSV with lot, amount, blocks. They are ticked, not sent.')),
            h('input', { type: 'file', class: 'visually-hidden', accept: '.csv,.txt,text/csv', disabled: !may.open, on: { change: function (event) { readFile(event.target.files[0]); event.target.value = ''; } } })),
          item('template', 'Save a file to fill in', 'All products with their minimum bids.', template, false),
          item('link', 'My personal link', 'Opens this seat on another device.', showLink, false))));
    }
    function chosen(lot, can) {
      return h('div', { class: 'hr-bid-pointed', key: 'chosen' }, h('strong', null, lot.name),
        h('span', null, [D.megawatts(lot.mw), B.risk(lot), lot.price === null ? 'no bid yet' : 'standing ' + B.money(seat, lot.price), lot.minimum === null ? '' : 'minimum ' + B.money(seat, lot.minimum)].filter(Boolean).join(' \u00b7 ')),
        can && B.free(seat, lot) > 0 && h('button', { type: 'button', class: 'hr-button', on: { click: function () { B.tick(seat, lot, !B.entry(seat, lot).on); seat.changed(); } } }, B.entry(seat, lot).on ? 'Take the tick away' : 'Tick it'));
    }
    function toRow(id) { // the product that was pressed on the map
      const row = part.lots.querySelector('.hr-bid-chosen');
      if (row && row.getClientRects().length) row.scrollIntoView({ block: 'nearest', behavior: headroom.calm() ? 'auto' : 'smooth' });
      const lot = seat.by.get(id) && seat.by.get(id).lot;
      if (lot) room.say(lot.name + ', minimum bid ' + B.money(seat, lot.minimum));
    }
    function drawHead() {
      if (!seat.snapshot || !seat.snapshot.lots) return;
      D.draw(part.head, B.head(room, seat.mine ? h('span', { class: 'hr-muted' }, 'You bid as ' + seat.mine.name) : null));
      D.draw(part.state, B.states(room, seat));
    }
    function draw() {
      if (!seat.snapshot || !seat.snapshot.lots) {
        D.draw(part.head, seat.snapshot && h('div', { class: 'hr-room-title' }, h('h2', null, seat.snapshot.title)));
        D.draw(part.state, B.states(room, seat));
        return;
      }
      drawHead();
      D.draw(part.tools, B.tools(seat));
      D.draw(part.lots, B.table(seat));
      D.draw(part.mine, seat.mine ? B.mineParts(seat) : null);
      D.draw(part.news, B.newsParts(seat));
      D.draw(part.bar, bar());
      if (Boolean(seat.dialog) !== Boolean(part.dialog.firstChild)) drawDialog();
      const placed = map.draw(seat.snapshot, function (lot) { return seat.mine && B.held(seat, lot.id).blocks ? B.SIGN.fine : B.entry(seat, lot).on ? B.SIGN.candidate : 0; });
      seat.placed = placed > 0;
      const without = seat.snapshot.lots.length - placed;
      const lot = seat.chosen && seat.by.has(seat.chosen) ? seat.by.get(seat.chosen).lot : null, can = B.may(seat).open;
      D.draw(part.map, [lot && chosen(lot, can), without ? h('p', { class: 'hr-muted' }, placed ? D.count(without, 'product') + ' of ' + D.number(seat.snapshot.lots.length) + ' ' + (without === 1 ? 'has' : 'have') + ' no place on the map.' : 'These products have no places on a map: they were not made from a network with coordinates.') : null]);
      root.querySelectorAll('[data-room-new]').forEach(function (dot) { dot.textContent = seat.unread[dot.dataset.roomNew] ? 'new' : ''; });
    }

    root.setAttribute('data-pane', 'bid');
    root.setAttribute('data-bare', ''); // nothing to bid on is known yet
    root.addEventListener('click', function (event) {
      const tab = event.target.closest('[data-room-tab]');
      if (!tab) return;
      const name = tab.dataset.roomTab;
      root.setAttribute('data-pane', name);
      root.querySelectorAll('[data-room-tab]').forEach(function (one) { one.setAttribute('aria-pressed', String(one === tab)); });
      seat.unread[name] = false;
      window.dispatchEvent(new Event('resize'));
      draw();
    });

    return {
      draw: function (snapshot) {
        root.toggleAttribute('data-bare', !snapshot || !snapshot.lots);
        if (snapshot) seat.snapshot = snapshot;
        if (snapshot && snapshot.lots) {
          seat.mine = snapshot.mine;
          seat.by = B.lotsBy(snapshot);
          newRound();
          newWords();
          if (seat.mine && !seat.sending && seat.sent && seat.mine.acted) seat.sent = null; // the snapshot tells it now
          seat.before = seat.mine ? B.remember(seat) : null;
        }
        draw();
      },
      tick: function () {
        if (!seat.mine) return;
        drawHead();
        say();
        const open = B.may(seat).open, pointed = map.chosen();
        if (pointed !== seat.chosen) { seat.chosen = pointed; draw(); if (pointed) toRow(pointed); }
        if (open !== heard) { heard = open; draw(); } // the round's end, before the server has told its result
      },
      gone: map.gone,
    };
  });
})();
