// The products of an auction on its host's desk. Of many, those with most bids stand first and the rest wait behind a
// press or a search: a desk of 1,600 products draws no more rows than one of 60.
(function () {
  'use strict';
  const headroom = window.headroom;
  const d = headroom.pane, h = d.h;
  const MOST = 60; // rows drawn at once

  function note(lot, minimum) { // what its name does not tell
    const size = d.megawatts(lot.mw), risk = lot.risk > 0 ? 'interrupted at most ' + d.percent(lot.risk) : 'firm';
    const named = lot.name.replace(/[\u2009\u00a0]/g, ' ').indexOf(size.replace(/[\u2009\u00a0]/g, ' ')) >= 0;
    return [named ? '' : size, named ? '' : risk, lot.bus ? 'bus ' + lot.bus : '', lot.quantity > 1 ? d.count(lot.quantity, 'block') : '', minimum].filter(Boolean).join(', ');
  }
  function holder(lot, s) {
    if (lot.holders && lot.holders.length) return Array.from(new Set(lot.holders)).join(', ');
    if (lot.held) return lot.quantity > 1 ? lot.held + ' of ' + lot.quantity + ' held' : 'held';
    return s.phase === 'closed' ? 'not sold' : 'nobody';
  }
  function priceWhy(lot, s, money) {
    const values = [['Standing bid', money(lot.price)], ['Next minimum', money(lot.minimum)], ['New bids in the last round', d.number(lot.bids || 0)]];
    if (lot.opening) values.push(['Opening bid', money(lot.opening)]);
    if (lot.increment_words) values.push(['Increment', lot.increment_words]);
    if (lot.quantity > 1) values.push(['Standing blocks', (lot.standing || []).map(function (one) { return d.number(one); }).join(', ') || d.DASH]);
    return d.why('auction-price-' + lot.id, money(lot.price), 'price of ' + lot.name, {
      formula: lot.quantity > 1 ? 'p = lowest of the ' + lot.quantity + ' best standing bids' : 'p = highest bid so far',
      values: values, source: 'simultaneous ascending auction: after each round the best bid stands' + (s.round > 1 ? ', round ' + (s.round - 1) : ''),
    });
  }
  function total(label, value) {
    return h('div', { class: 'hr-total' }, h('dt', { class: 'hr-total-label' }, label),
      h('dd', null, h('span', { class: 'hr-total-number' }, h('span', { class: 'hr-host-total' }, value))));
  }
  function totals(s, money) {
    let sold = 0, revenue = 0, bids = 0;
    s.lots.forEach(function (lot) {
      if (lot.held > 0) sold += 1;
      bids += lot.bids || 0;
      (lot.standing || []).forEach(function (amount) { revenue += amount; });
    });
    const closed = s.phase === 'closed';
    if (closed && s.outcome) { // a block below its reserve is not sold
      const products = new Set();
      revenue = 0;
      s.outcome.forEach(function (one) { revenue += one.pay; one.won.forEach(function (won) { products.add(won.lot); }); });
      sold = products.size;
    }
    const of = d.number(sold) + ' of ' + d.number(s.lots.length);
    return h('dl', { class: 'hr-totals hr-host-totals' },
      total(closed ? 'Revenue' : 'Standing revenue', d.why('auction-revenue', money(revenue), closed ? 'revenue' : 'standing revenue', { formula: closed ? 'R = \u03a3 prices of all blocks sold' : 'R = \u03a3 standing bids of all blocks', values: [[closed ? 'Products sold' : 'Products with a standing bid', of], ['Revenue', money(revenue)]], source: closed ? 'winners pay their standing bids' : 'what winners would pay if the auction ended now' })),
      total(closed ? 'Sold' : 'Held', of),
      !closed && total('New bids last round', d.number(bids)));
  }

  function pane(s, tools) {
    const own = tools.own, large = s.lots.length > MOST;
    const wanted = own.sort ? own.sort === 'demand' : large;
    const search = own.search.trim().toLowerCase();
    let found = s.lots;
    if (search) found = found.filter(function (lot) { return (lot.name + ' ' + lot.id + ' ' + lot.bus + ' ' + (lot.holders || []).join(' ')).toLowerCase().indexOf(search) >= 0; });
    if (wanted) found = found.slice().sort(function (a, b) { return (b.bids || 0) - (a.bids || 0) || (b.price || 0) - (a.price || 0); });
    const shown = found.slice(0, MOST + own.shown), left = found.length - shown.length;
    const most = s.lots.reduce(function (top, lot) { return Math.max(top, lot.bids || 0); }, 1);
    const redo = function (changes) { return function () { Object.assign(own, changes); tools.redraw(); }; };
    return [
      h('div', { class: 'hr-pane-head' },
        h('h2', { class: 'hr-pane-title' }, 'Products'),
        large && h('input', { class: 'hr-input hr-host-search', type: 'search', 'aria-label': 'Search a product', placeholder: 'Search', value: own.search, on: { input: function (event) { own.search = event.target.value; own.shown = 0; tools.redraw(); } } }),
        h('button', { type: 'button', class: 'hr-button hr-button-quiet', on: { click: redo({ sort: wanted ? 'number' : 'demand', shown: 0 }) } }, wanted ? 'In their order' : 'Most wanted first')),
      totals(s, tools.money),
      h('div', { class: 'hr-host-scroll', tabindex: '0', role: 'group', 'aria-label': 'Products' },
        h('table', { class: 'hr-host-lots' },
          h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Product'), h('th', { scope: 'col', class: 'hr-host-demand' }, 'New bids'), h('th', { scope: 'col', class: 'hr-num' }, 'Price'), h('th', { scope: 'col' }, 'Holder'))),
          h('tbody', null, shown.map(function (lot) {
            return h('tr', { key: lot.id, class: lot.held ? '' : 'hr-host-free' },
              h('th', { scope: 'row' }, h('span', { class: 'hr-host-lot' }, lot.name), h('span', { class: 'hr-host-note' }, note(lot, s.phase === 'closed' || lot.minimum === null ? '' : 'next bid from ' + tools.money(lot.minimum)))),
              h('td', { class: 'hr-host-demand' }, h('span', { class: 'hr-host-bar', style: { '--share': 100 * (lot.bids || 0) / most + '%' }, 'data-hot': lot.bids > lot.quantity }), h('span', null, d.number(lot.bids || 0))),
              h('td', { class: 'hr-num' }, priceWhy(lot, s, tools.money)),
              h('td', { class: 'hr-host-holder' }, holder(lot, s)));
          }))),
        !found.length && h('p', { class: 'hr-muted hr-host-rest', key: 'none' }, 'No product is called so.'),
        left > 0 && h('p', { class: 'hr-muted hr-host-rest', key: 'rest' }, 'and ' + d.number(left) + ' more' + (wanted ? ', with fewer bids or lower prices' : ''), ' ',
          h('button', { type: 'button', class: 'hr-button', on: { click: redo({ shown: own.shown + MOST }) } }, 'Show ' + d.number(Math.min(MOST, left)) + ' more'))),
    ];
  }

  headroom.hostLots = { pane: pane };
})();
