// Beside the bid table: what I hold and would hold, eligibility and activity, withdrawals, news, my bids by round.
(function () {
  'use strict';
  const headroom = window.headroom, D = headroom.pane, h = D.h, B = headroom.bidding;

  function section(key, title, children) {
    return h('section', { class: 'hr-section', key: key }, h('h3', { class: 'hr-section-title' }, title), children);
  }
  function fact(name, value, key) { return h('div', { class: 'hr-fact', key: key || name }, h('dt', null, name), h('dd', null, value)); }

  // What I hold, and with the ticked bids --------------------------------------------------------------------------
  function holdings(seat) {
    const mine = seat.mine, sums = B.totals(seat), open = B.may(seat).open, values = Boolean(mine.values) && mine.values.kind === 'additive', kept = seat.known && seat.known.known ? seat.known : null;
    const worth = function (list) { return list.reduce(function (sum, one) { return sum + (B.value(seat, seat.by.get(one[0]).place) || 0) * one[2]; }, 0); };
    const now = mine.holdings.map(function (one) { return [one.lot, one.pay, one.blocks]; }), coming = sums.list.map(function (bid) { return [bid[0], bid[1] * bid[2], bid[2]]; });
    const line = function (one, coming) { // one: lot, what is paid for it, blocks
      const lot = seat.by.get(one[0]).lot;
      const can = !coming && open && (mine.can_withdraw || []).find(function (w) { return w.lot === lot.id; });
      const gone = !coming && B.withdrawn(seat).indexOf(lot.id) >= 0;
      return h('tr', { key: (coming ? 'new-' : 'held-') + lot.id + '-' + one[1], class: coming ? 'hr-bid-coming' : '' },
        h('th', { scope: 'row' }, lot.name + (one[2] > 1 ? ' \u00d7' + one[2] : ''), coming ? h('small', null, 'if this bid wins') : gone ? h('small', null, 'withdrawn when this round closes') : null),
        h('td', { class: 'hr-num' }, D.number(one[1])),
        values && h('td', { class: 'hr-num' }, D.number((B.value(seat, seat.by.get(lot.id).place) || 0) * one[2])),
        h('td', { class: 'hr-num' }, can ? h('button', { type: 'button', class: 'hr-button hr-button-quiet', 'aria-label': (gone ? 'Keep my bid on ' : 'Withdraw my bid on ') + lot.name, on: { click: function () { if (gone) seat.keepBid(lot.id); else seat.withdraw(can); } } }, gone ? 'Keep it' : 'Withdraw') : null));
    };
    const total = function (label, amount, list, key, card) {
      return h('tr', { class: 'hr-bid-sum', key: key }, h('th', { scope: 'row' }, label),
        h('td', { class: 'hr-num' }, card ? D.why('seat-pay-' + key, D.number(amount), label, card) : D.number(amount)),
        values && h('td', { class: 'hr-num' }, D.number(worth(list))), h('td', null));
    };
    const all = now.concat(coming);
    const why = function (list) {
      return { formula: 'sum of my standing bids' + (list.length > now.length ? ' and the ticked ones' : ''),
        values: list.map(function (one) { return [seat.by.get(one[0]).lot.name, B.money(seat, one[1])]; }),
        note: 'Whoever holds a product pays the bid that stands on it when the auction ends.' };
    };
    if (!all.length) return h('p', { key: 'none', class: 'hr-muted' }, 'I hold nothing yet. Tick a product to see what I would hold and pay.');
    return [h('div', { class: 'hr-room-scroll', key: 'table' }, h('table', { class: 'hr-room-table' },
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Product'), h('th', { scope: 'col', class: 'hr-num' }, 'Bid, ' + seat.snapshot.currency),
        values && h('th', { scope: 'col', class: 'hr-num' }, 'Value'), h('th', { scope: 'col' }, h('span', { class: 'visually-hidden' }, 'Withdraw')))),
      h('tbody', null, now.map(function (one) { return line(one, false); }), now.length > 0 && total('I pay now', mine.pay, now, 'now', why(now)),
        coming.map(function (one) { return line(one, true); }), coming.length > 0 && total('I pay up to', sums.pay, all, 'all', why(all))))),
    kept && h('dl', { class: 'hr-facts', key: 'worth' }, B.fact(coming.length ? 'Worth to me, if all are won' : 'Worth to me', B.money(seat, kept.value_all)),
      B.fact('Surplus', D.why('seat-surplus', B.money(seat, kept.surplus_all), 'My surplus', { formula: 'surplus = value of all I would hold \u2212 what I would pay',
        values: [['Value', B.money(seat, kept.value_all)], ['Payment', B.money(seat, kept.pay_all)]], note: 'By the values that are assigned to this seat. Only this seat and the host see them.' })))];
  }

  function meter(seat) {
    const mine = seat.mine, sums = B.totals(seat), top = Math.max(mine.initial || 0, mine.eligibility, sums.activity, 1);
    const share = function (units) { return (100 * Math.min(1, units / top)).toFixed(2) + '%'; };
    const stage = B.requiredShare(seat.snapshot), needs = mine.required > 0;
    const words = D.number(sums.activity) + ' of ' + D.number(mine.eligibility) + ' units active' + (needs ? ', ' + D.number(mine.required) + ' required' : '');
    const rule = seat.snapshot.activity_rule;
    if (!rule && !seat.snapshot.withdrawals) return null;
    return [
      rule && h('div', { class: 'hr-meter', key: 'meter', role: 'img', 'aria-label': words },
        h('span', { class: 'hr-meter-eligible', style: { width: share(mine.eligibility) } }),
        h('span', { class: 'hr-meter-held', style: { width: share(sums.held) } }),
        h('span', { class: 'hr-meter-bids', style: { left: share(sums.held), width: share(sums.units) } }),
        needs && h('span', { class: 'hr-meter-required', style: { left: share(mine.required) } })),
      rule && h('p', { class: 'hr-meter-legend', key: 'legend', 'aria-hidden': 'true' }, h('span', { class: 'hr-meter-key-held' }, 'held'), h('span', { class: 'hr-meter-key-bids' }, 'ticked'),
        needs && h('span', { class: 'hr-meter-key-required' }, 'required'), h('span', { class: 'hr-meter-key-eligible' }, 'eligible')),
      h('dl', { class: 'hr-facts' },
        rule && fact('Eligibility', D.why('seat-eligibility', D.number(mine.eligibility) + ' units', 'My eligibility', {
          values: [['At the beginning', D.number(mine.initial) + ' units'], ['Now', D.number(mine.eligibility) + ' units']],
          note: 'The units of what I hold and bid on may not be more. It never rises; it falls when my activity is short and no waiver is used.' })),
        rule && fact('Activity with the ticked bids', D.why('seat-activity', D.number(sums.activity) + ' units', 'My activity', {
          formula: 'activity = units held + units of new bids', values: [['Held and not withdrawn', D.number(sums.held)], ['New bids, ticked', D.number(sums.units)], ['Share of my eligibility', sums.share === null ? D.DASH : D.percent(sums.share, 0)]] })),
        needs ? fact('Required', D.why('seat-required', D.number(mine.required) + ' units', 'Required activity', {
          formula: 'required = share of the stage \u00d7 eligibility', values: [['Share in stage ' + (seat.snapshot.stage + 1), stage === null ? D.DASH : D.percent(stage)], ['Eligibility', D.number(mine.eligibility) + ' units']],
          note: 'With less, a waiver is used if I have one, else my eligibility falls to activity / share.' })) : null,
        rule && fact('Waivers left', D.number(mine.waivers)),
        mine.withdrawal_rounds || (mine.withdrawals || []).length ? fact('Rounds left to withdraw in', D.number(mine.withdrawal_rounds)) : null,
        mine.interim_due ? fact('To pay for withdrawn bids', B.money(seat, mine.interim_due)) : null),
      (mine.withdrawals || []).length > 0 && h('ul', { class: 'hr-room-lines', 'aria-label': 'My withdrawals' }, mine.withdrawals.map(function (w, i) {
        return h('li', { key: i }, seat.by.get(w.lot).lot.name + ': withdrawn at ' + B.money(seat, w.amount) + ' in round ' + w.round + '; ' + (w.due === null ? B.money(seat, w.interim) + ' stand until it is sold again' : B.money(seat, w.due) + ' due'));
      })),
    ];
  }
  function demand(seat) {
    const hint = seat.mine.hint;
    if (!hint) return null;
    return section('hint', 'My demand at these prices', hint.length
      ? [h('p', null, hint.map(function (one) { return seat.by.get(one.lot).lot.name + (one.blocks > 1 ? ' \u00d7' + one.blocks : ''); }).join(', ')),
        h('p', { class: 'hr-room-note' }, 'What gives me the largest value less payment, if prices stayed and every bid won: with what I hold at its price, all else at its minimum bid.')]
      : h('p', null, 'Nothing more: what I hold is the best for me at these prices.'));
  }
  function mine(seat) {
    const sheet = seat.mine.values;
    return [
      section('hold', 'What I hold', holdings(seat)),
      (seat.snapshot.activity_rule || seat.snapshot.withdrawals) && section('activity', seat.snapshot.activity_rule ? 'Eligibility and activity' : 'Withdrawals', meter(seat)),
      demand(seat),
      sheet && (sheet.kind !== 'additive' || sheet.budget) && section('values', 'My values', h('div', { class: 'hr-room-scroll' }, h('table', { class: 'hr-room-table' },
        h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'What'), h('th', { scope: 'col', class: 'hr-num' }, 'Value, ' + seat.snapshot.currency), h('th', { scope: 'col' }, 'In words'))),
        h('tbody', null, sheet.sheet.map(function (row, i) { return h('tr', { key: i }, h('th', { scope: 'row' }, row.name), h('td', { class: 'hr-num' }, D.number(row.value)), h('td', null, row.words)); }))))),
    ];
  }

  // News: announcements, what became of my bids, all rounds ------------------------------------------------------------
  function bidWords(seat, bid) {
    const name = seat.by.has(bid.lot) ? seat.by.get(bid.lot).lot.name : bid.lot;
    return name + (bid.blocks > 1 ? ' \u00d7' + bid.blocks : '') + ' at ' + D.number(bid.amount);
  }
  function rounds(seat) {
    const list = seat.history.rounds.slice().reverse();
    if (!list.length) return h('p', { class: 'hr-muted' }, 'No round has closed yet.');
    const dear = function (round) { return (round.prices || []).reduce(function (sum, p, i) { return sum + (p || 0) * (seat.snapshot.lots[i] ? seat.snapshot.lots[i].quantity : 1); }, 0); };
    return h('div', { class: 'hr-room-scroll' }, h('table', { class: 'hr-room-table' },
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Round'), h('th', { scope: 'col' }, 'My bids'), h('th', { scope: 'col', class: 'hr-num' }, 'New bids'), h('th', { scope: 'col', class: 'hr-num' }, 'Sum, ' + seat.snapshot.currency))),
      h('tbody', null, list.map(function (round) {
        return h('tr', { key: (round.practice ? 'p' : '') + round.round },
          h('th', { scope: 'row' }, (round.practice ? 'practice ' : '') + round.round),
          h('td', null, (round.mine || []).length ? round.mine.map(function (bid, i) {
            return h('span', { key: i, class: 'hr-bid-past' }, bidWords(seat, bid), h('em', { class: bid.won ? 'hr-sign-fine' : 'hr-sign-binding' }, bid.won ? 'stands' : 'outbid'));
          }) : h('span', { class: 'hr-muted' }, 'none')),
          h('td', { class: 'hr-num' }, D.number((round.bids || []).reduce(function (sum, n) { return sum + n; }, 0))),
          h('td', { class: 'hr-num' }, D.number(dear(round))));
      }))));
  }
  function told(snapshot) {
    const list = (snapshot.announcements || []).slice().reverse();
    return list.length ? h('ul', { class: 'hr-room-lines' }, list.map(function (one) {
      return h('li', { key: one.at + one.text }, h('time', null, D.clockTime(one.at)), one.text);
    })) : h('p', { class: 'hr-muted' }, 'The host has said nothing yet.');
  }
  function news(seat) {
    const s = seat.snapshot;
    return [
      section('told', 'From the host', told(s)),
      section('rounds', 'My bids and the sum of all prices, by round', rounds(seat)),
      section('rules', 'The rules', h('ul', { class: 'hr-room-rules' }, (s.rules_words || []).map(function (line, i) { return h('li', { key: i }, line); }))),
    ];
  }

  Object.assign(B, { mineParts: mine, newsParts: news, told: told, section: section, fact: fact });
})();
