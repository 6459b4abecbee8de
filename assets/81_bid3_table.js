// The bid table: one row a product, with its standing price, what a bid must be at least, and the place for mine.
(function () {
  'use strict';
  const headroom = window.headroom, D = headroom.pane, h = D.h, B = headroom.bidding;

  const SHOWN = [['all', 'All'], ['mine', 'Mine'], ['ticked', 'Ticked'], ['hint', 'In demand for me'], ['firm', 'Firm'], ['flexible', 'Flexible']];

  function hinted(seat, lot) { return Boolean(seat.mine && seat.mine.hint && seat.mine.hint.some(function (one) { return one.lot === lot.id; })); }
  function holderWords(lot) {
    if (lot.holders === null || lot.holders === undefined) return lot.held ? (lot.quantity > 1 ? lot.held + ' of ' + lot.quantity + ' held' : 'held') : 'nobody';
    const counts = new Map();
    lot.holders.forEach(function (name) { counts.set(name, (counts.get(name) || 0) + 1); });
    return counts.size ? Array.from(counts, function (pair) { return pair[1] > 1 ? pair[0] + ' \u00d7' + pair[1] : pair[0]; }).join(', ') : 'nobody';
  }
  const COLUMNS = [
    { key: 'tick', label: 'Bid', plain: true },
    { key: 'name', label: 'Product', by: function (seat, lot) { return lot.name.toLowerCase(); } },
    { key: 'mw', label: 'MW', number: true, by: function (seat, lot) { return lot.mw; } },
    { key: 'risk', label: 'Risk', number: true, by: function (seat, lot) { return lot.risk; } },
    { key: 'bus', label: 'Bus', by: function (seat, lot) { return isNaN(Number(lot.bus)) ? lot.bus : Number(lot.bus); } },
    { key: 'holder', label: 'Holder', by: function (seat, lot) { return holderWords(lot).toLowerCase(); } },
    { key: 'price', label: 'Standing', money: true, number: true, by: function (seat, lot) { return lot.price === null ? -1 : lot.price; } },
    { key: 'minimum', label: 'Minimum', money: true, number: true, by: function (seat, lot) { return lot.minimum === null ? Infinity : lot.minimum; } },
    { key: 'value', label: 'My value', money: true, number: true, by: function (seat, lot) { const v = B.value(seat, seat.by.get(lot.id).place); return v === null ? -1 : v; } },
    { key: 'bid', label: 'My bid', money: true, plain: true },
  ];
  // A value that does not simply add up says so where it stands.
  const COUNTS = { campus: 'My value in a campus', 'unit demand': 'My value, if it is my best' };
  function valueLabel(seat) { return (B.valued(seat) && COUNTS[seat.mine.values.kind]) || 'My value'; }
  function columns(seat) {
    return COLUMNS.filter(function (c) { return c.key !== 'value' || B.valued(seat); })
      .map(function (c) { return c.key === 'value' ? Object.assign({}, c, { label: valueLabel(seat) }) : c; });
  }

  function rows(seat) {
    const want = seat.search.trim().toLowerCase(), show = seat.show;
    const found = seat.snapshot.lots.filter(function (lot) {
      if (want && (lot.name + ' ' + lot.id + ' ' + lot.bus + ' ' + holderWords(lot)).toLowerCase().indexOf(want) < 0) return false;
      if (show === 'mine') return seat.mine && B.held(seat, lot.id).blocks > 0;
      if (show === 'ticked') return B.entry(seat, lot).on;
      if (show === 'hint') return hinted(seat, lot);
      if (show === 'firm') return !lot.risk;
      if (show === 'flexible') return lot.risk > 0;
      return true;
    });
    const column = COLUMNS.find(function (c) { return c.key === seat.sort.key; });
    if (column && column.by) {
      found.sort(function (a, b) {
        const x = column.by(seat, a), y = column.by(seat, b);
        const order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === 'number' ? -1 : 1;
        return (order || seat.by.get(a.id).place - seat.by.get(b.id).place) * (seat.sort.down && order ? -1 : 1);
      });
    }
    return found;
  }

  // Whys, of the seat and of the pages to watch: `page` is {kind, snapshot, by, history: {rounds}} ---------------------
  function whyMinimum(page, lot) {
    const none = lot.price === null;
    if (lot.minimum === null) return D.DASH;
    const values = none ? [['Opening bid', B.money(page, lot.opening || 0)]] : [[lot.quantity > 1 ? 'Lowest standing block' : 'Standing price', B.money(page, lot.price)]];
    values.push(['Increment in round ' + page.snapshot.round, B.money(page, lot.increment)]);
    values.push(['Minimum bid', B.money(page, lot.minimum)]);
    return D.why(page.kind + '-minimum-' + lot.id, D.number(lot.minimum), 'Minimum bid on ' + lot.name, {
      formula: none ? (lot.quantity > 1 && lot.held ? 'while a block is free: ' : '') + 'minimum = max(opening bid, increment)' : lot.quantity > 1 ? 'minimum = lowest standing block + increment' : 'minimum = standing price + increment',
      values: values, note: 'The increment is ' + lot.increment_words + '.',
      source: page.snapshot.rules_words.find(function (line) { return (none ? /first bid/ : /^A new bid/).test(line); }) || '',
    });
  }
  function whyPrice(page, lot, more) { // more: further values, [[name, value], ...]
    const place = page.by.get(lot.id).place;
    const path = page.history.rounds.map(function (round) {
      const at = round.prices ? round.prices[place] : null;
      return at === null || at === undefined ? null : ['Round ' + round.round, B.money(page, at) + (round.bids && round.bids[place] ? ', ' + D.count(round.bids[place], 'new bid') : '')];
    }).filter(Boolean).slice(-8);
    const values = [];
    if (lot.quantity > 1) for (let i = 0; i < lot.quantity; i += 1) values.push(['Block ' + (i + 1), i < lot.standing.length ? B.money(page, lot.standing[i]) : 'no bid']);
    return D.why(page.kind + '-price-' + lot.id, D.number(lot.price), 'Standing price of ' + lot.name, {
      formula: !lot.held ? '' : lot.quantity > 1 ? 'price = lowest of the ' + lot.quantity + ' best bids' : 'price = highest bid so far',
      values: values.concat(path, more || []),
      note: !lot.held ? 'Nobody has bid on it.' : lot.quantity > 1 ? (lot.price === null ? 'Not all of its ' + lot.quantity + ' equal blocks have a bid.' : 'The lowest of the bids that stand on its ' + lot.quantity + ' equal blocks.') : (page.snapshot.phase === 'closed' ? '' : 'Its maker pays it if the auction ends now.') + (more && more.length ? ' The increment is ' + lot.increment_words + '.' : ''),
    });
  }

  // One row ------------------------------------------------------------------------------------------------------
  function control(seat, lot, open) {
    const one = B.entry(seat, lot), list = B.choices(seat, lot), room = B.free(seat, lot);
    const change = function (more) { seat.change(lot, Object.assign({}, B.entry(seat, lot), more)); };
    const name = 'My bid on ' + lot.name + ', ' + seat.snapshot.currency;
    const wrong = B.complaint(seat, lot) || (seat.refused.get(lot.id) || {}).words;
    const told = wrong ? { 'aria-invalid': 'true', 'aria-describedby': 'seat-wrong-' + lot.id } : {};
    if (room <= 0) return null;
    let box;
    if (list && list.length <= 1) {
      box = h('span', { class: 'hr-bid-fixed' + (one.on ? '' : ' hr-bid-off') }, D.number(lot.minimum));
    } else if (list) {
      box = h('select', Object.assign({
        class: 'form-select hr-bid-input', 'aria-label': name, disabled: !open, value: one.on ? one.text : String(list[0]),
        on: { change: function (event) { change({ on: true, text: event.target.value }); } },
      }, told), list.map(function (amount) { return h('option', { value: String(amount) }, D.number(amount)); }));
    } else {
      box = h('input', Object.assign({
        class: 'form-control hr-bid-input', type: 'text', inputmode: 'numeric', autocomplete: 'off', maxlength: 17, 'aria-label': name, disabled: !open,
        placeholder: D.number(lot.minimum), value: one.on ? one.text : '',
        on: {
          input: function (event) { const text = event.target.value; change({ on: text.trim() !== '', text: text }); },
          keydown: function (event) { if (event.key === 'Enter') { event.preventDefault(); seat.press(); } },
        },
      }, told));
    }
    const blocks = room > 1 || lot.quantity > 1 ? h('label', { class: 'hr-bid-blocks' },
      h('select', { class: 'form-select hr-bid-input', disabled: !open, value: String(one.blocks), 'aria-label': 'More blocks of ' + lot.name,
        on: { change: function (event) { change({ on: true, text: B.parse(one.text) === null ? String(lot.minimum) : one.text, blocks: Number(event.target.value) }); } } },
        Array.from({ length: room }, function (_, i) { return h('option', { value: String(i + 1) }, i + 1); })), '\u00d7') : null;
    return [blocks, box];
  }
  function marks(seat, lot) {
    const found = [], mine = seat.mine, acted = mine && mine.acted;
    const sent = acted && acted.bids.find(function (bid) { return bid.lot === lot.id; });
    const one = B.entry(seat, lot);
    if (sent) {
      const same = one.on && B.parse(one.text) === sent.amount && one.blocks === sent.blocks;
      found.push(h('span', { class: 'hr-bid-mark hr-sign-fine', key: 'sent' }, 'Confirmed ' + D.number(sent.amount) + (sent.blocks > 1 ? ' \u00d7' + sent.blocks : '') + (same ? '' : '; changed, not sent')));
    }
    const wrong = B.complaint(seat, lot), refused = seat.refused.get(lot.id);
    if (wrong || refused) found.push(h('span', { class: 'hr-bid-wrong', id: 'seat-wrong-' + lot.id, key: 'wrong' },
      refused ? h('strong', null, 'Refused, ' + refused.rule + ': ') : null, refused ? refused.words : wrong));
    return found;
  }
  function row(seat, lot, shown, open) {
    const one = B.entry(seat, lot), have = seat.mine ? B.held(seat, lot.id) : { blocks: 0, amounts: [] };
    const can = open && seat.mine && B.free(seat, lot) > 0;
    const cells = {
      tick: h('td', { class: 'hr-bid-tick', role: 'cell' }, B.free(seat, lot) > 0 || !seat.mine
        ? h('label', { class: 'hr-bid-press' }, h('input', { type: 'checkbox', class: 'form-check-input', 'aria-label': 'Bid on ' + lot.name, checked: one.on, disabled: !can,
          on: { change: function (event) { B.tick(seat, lot, event.target.checked); seat.change(lot, B.entry(seat, lot)); } } })) : null),
      name: h('th', { class: 'hr-bid-name', scope: 'row', role: 'rowheader' },
        seat.placed ? h('button', { type: 'button', class: 'hr-bid-title', title: 'Show on the map', on: { click: function () { headroom.select('auction-seat', 'bus:' + lot.id); } } }, lot.name) : h('span', { class: 'hr-bid-title' }, lot.name),
        have.blocks > 0 && h('span', { class: 'hr-bid-mark hr-sign-firm', key: 'mine' }, 'Yours' + (lot.quantity > 1 ? ', ' + D.count(have.blocks, 'block') : '')),
        hinted(seat, lot) && h('span', { class: 'hr-bid-mark', key: 'hint' }, 'in your demand'),
        h('span', { class: 'hr-bid-facts', 'aria-hidden': 'true' }, [D.megawatts(lot.mw), B.risk(lot), 'bus ' + lot.bus, holderWords(lot)].join(' \u00b7 '))),
      mw: h('td', { class: 'hr-num hr-bid-wide', role: 'cell' }, D.megawatts(lot.mw).replace(' MW', '') + (lot.quantity > 1 ? ' \u00d7' + lot.quantity : '')),
      risk: h('td', { class: 'hr-num hr-bid-wide ' + (lot.risk ? 'hr-sign-flexible' : 'hr-sign-firm'), role: 'cell' }, h('span', { class: 'hr-bid-risk' }, B.risk(lot))),
      bus: h('td', { class: 'hr-bid-wide', role: 'cell' }, lot.bus),
      holder: h('td', { class: 'hr-bid-wide hr-bid-holder', role: 'cell' }, holderWords(lot), lot.bids ? h('small', null, D.count(lot.bids, 'new bid')) : null),
      price: h('td', { class: 'hr-num hr-bid-price', role: 'cell', 'data-label': 'standing' }, whyPrice(seat, lot)),
      minimum: h('td', { class: 'hr-num hr-bid-minimum', role: 'cell', 'data-label': 'minimum' }, whyMinimum(seat, lot)),
      value: h('td', { class: 'hr-num hr-bid-value', role: 'cell', 'data-label': valueLabel(seat).replace('My', 'my') }, D.number(B.value(seat, seat.by.get(lot.id).place))),
      bid: h('td', { class: 'hr-bid-mine', role: 'cell' }, h('div', { class: 'hr-bid-control' }, control(seat, lot, can)), marks(seat, lot)),
    };
    return h('tr', { key: lot.id, role: 'row', class: 'hr-bid-row' + (one.on ? ' hr-bid-on' : '') + (have.blocks ? ' hr-bid-held' : '') + (seat.chosen === lot.id ? ' hr-bid-chosen' : '') },
      shown.map(function (c) { return cells[c.key]; }));
  }
  function head(seat, c) {
    const chosen = seat.sort.key === c.key;
    const unit = c.money ? ', ' + seat.snapshot.currency : '';
    return h('th', { key: c.key, scope: 'col', role: 'columnheader', class: (c.number ? 'hr-num ' : '') + 'hr-bid-head-' + c.key, 'aria-sort': c.by ? (chosen ? (seat.sort.down ? 'descending' : 'ascending') : 'none') : undefined },
      c.by ? h('button', { type: 'button', class: 'hr-bid-sort', on: { click: function () {
        seat.sort = chosen && seat.sort.down ? { key: '', down: false } : { key: c.key, down: chosen };
        seat.redraw();
      } } }, c.label + unit, chosen ? h('span', { 'aria-hidden': 'true' }, seat.sort.down ? ' \u2193' : ' \u2191') : null) : c.label + unit);
  }
  function table(seat) {
    const shown = columns(seat), found = rows(seat), open = B.may(seat).open;
    return [
      h('table', { class: 'hr-bid-table', role: 'table', 'aria-label': 'Products' },
        h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, shown.map(function (c) { return head(seat, c); }))),
        h('tbody', { role: 'rowgroup' }, found.map(function (lot) { return row(seat, lot, shown, open); }))),
      found.length === 0 && h('p', { class: 'hr-muted hr-bid-none', key: 'none' }, seat.search || seat.show !== 'all' ? 'No product is like this. Clear the search, or show all.' : 'No product.'),
    ];
  }

  // Above the table: search, what to show, and presses that tick several at once ------------------------------------
  function tools(seat) {
    const mine = seat.mine, open = B.may(seat).open;
    const hints = mine && mine.hint ? mine.hint.filter(function (one) { return seat.by.has(one.lot) && B.free(seat, seat.by.get(one.lot).lot) > 0; }) : [];
    const lost = seat.outbid.filter(function (id) { return seat.by.has(id) && B.free(seat, seat.by.get(id).lot) > 0; });
    const ticked = seat.snapshot.lots.some(function (lot) { return B.entry(seat, lot).on; });
    const tickAll = function (list) { // of {lot, blocks}
      list.forEach(function (one) {
        const lot = seat.by.get(one.lot).lot;
        seat.form.set(lot.id, { on: true, text: String(lot.minimum), blocks: Math.min(one.blocks || 1, B.free(seat, lot)) });
      });
      seat.changed();
    };
    const shows = SHOWN.filter(function (one) { return one[0] !== 'hint' || hints.length; });
    return [
      h('span', { class: 'hr-filter' }, h('input', { 'aria-label': 'Search a product', class: 'form-control hr-input hr-room-search', type: 'search', placeholder: 'Search', value: seat.search, on: { input: function (event) { seat.search = event.target.value; seat.redraw(); } } })),
      h('span', { class: 'hr-room-show' }, h('select', { 'aria-label': 'Show', class: 'form-select hr-input', value: seat.show, on: { change: function (event) { seat.show = event.target.value; seat.redraw(); } } },
          shows.map(function (one) { return h('option', { value: one[0] }, one[1]); }))),
      h('span', { class: 'hr-room-show hr-room-narrow-only' }, h('select', { 'aria-label': 'Order', class: 'form-select hr-input', value: seat.sort.key, on: { change: function (event) { seat.sort = { key: event.target.value, down: false }; seat.redraw(); } } },
          h('option', { value: '' }, 'As listed'), columns(seat).filter(function (c) { return c.by; }).map(function (c) { return h('option', { value: c.key }, 'By ' + (c.key === 'mw' ? c.label : c.label.toLowerCase())); }))),
      h('div', { class: 'hr-bid-ticks' },
        hints.length > 0 && h('button', { type: 'button', key: 'hint', class: 'hr-button', disabled: !open, on: { click: function () { tickAll(hints); } } }, 'Tick my demand (' + hints.length + ')'),
        lost.length > 0 && h('button', { type: 'button', key: 'lost', class: 'hr-button', disabled: !open, on: { click: function () { tickAll(lost.map(function (id) { return { lot: id, blocks: 1 }; })); } } }, 'Tick where I was outbid (' + lost.length + ')'),
        ticked && h('button', { type: 'button', key: 'clear', class: 'hr-button hr-button-quiet', on: { click: function () { seat.form.clear(); seat.changed(); } } }, 'Clear')),
    ];
  }

  Object.assign(B, { table: table, tools: tools, holderWords: holderWords, hinted: hinted, whyPrice: whyPrice, whyMinimum: whyMinimum });
})();
