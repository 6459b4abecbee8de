// Make an auction: what the form holds is gathered here into a draft, kept in this browser until the auction is made,
// and judged by the server as it changes.
(function () {
  'use strict';
  const headroom = window.headroom;
  const NO = function () { return window.dash_clientside.no_update; };
  const LOTS = 'auction-lots-grid', SEATS = 'auction-seats-grid';
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const KINDS = { '': 'none', symmetric: 'by number won' };
  functions.hrAuctionPlayer = function (value) { return value || 'Person'; };
  functions.hrAuctionKind = function (value) { return value in KINDS ? KINDS[value] : value || 'none'; };

  function api(id) {
    try { return window.dash_ag_grid.getApi(id); } catch (error) { return null; }
  }
  function rows(id) {
    const grid = api(id), found = [];
    if (!grid || (grid.isDestroyed && grid.isDestroyed())) return null;
    grid.stopEditing();
    grid.forEachNode(function (node) { found.push(Object.assign({}, node.data)); });
    return found;
  }
  function changed() { headroom.setProps('auction-draft-changed', { data: Date.now() + Math.random() }); }

  // The draft that is kept -----------------------------------------------------------------------------------
  const KEY = 'headroom-auction-draft ';
  function kept(source) {
    try { return JSON.parse(window.localStorage.getItem(KEY + source)); } catch (error) { return null; }
  }
  function keep(draft) {
    try { window.localStorage.setItem(KEY + draft.source, JSON.stringify(draft)); } catch (error) { /* private window: this page only */ }
  }
  function forget(source) {
    try { window.localStorage.removeItem(KEY + source); } catch (error) { /* nothing was kept */ }
  }
  let draft = null; // of the form on the page

  function fresh(source, list) { // an id that no row has
    const taken = new Set(list.map(function (row) { return String(row.id); }));
    let n = list.length + 1;
    while (taken.has(source + n)) n += 1;
    return source + n;
  }
  function newSeat(list) {
    const id = fresh('s', list), names = new Set(list.map(function (row) { return row.name; }));
    let n = list.length + 1;
    while (names.has('Bidder ' + n)) n += 1;
    return { id: id, name: 'Bidder ' + n, bot: '', eligibility: null, kind: '', budget: null, minimum_mw: null, listed: '' };
  }
  function seatCount(wanted) { // seats are added and taken at the end; what was taken comes back first
    const list = rows(SEATS), grid = api(SEATS);
    if (!list || !draft || !(wanted >= 1)) return;
    const goal = Math.min(400, Math.round(wanted));
    const spare = draft.spare || (draft.spare = []);
    const add = [], remove = [];
    while (list.length + add.length - remove.length < goal) add.push(spare.pop() || newSeat(list.concat(add)));
    while (list.length - remove.length > goal) { const row = list[list.length - 1 - remove.length]; spare.push(row); remove.push(row); }
    if (add.length || remove.length) grid.applyTransaction({ add: add, remove: remove.map(function (row) { return { id: row.id }; }) });
  }
  function act(what) {
    const name = what === 'add-lot' || what === 'remove-lots' ? LOTS : SEATS;
    const list = rows(name), grid = api(name);
    if (!list) return;
    if (what === 'add-seat') grid.applyTransaction({ add: [newSeat(list)] });
    else if (what === 'add-lot') {
      grid.applyTransaction({ add: [{ id: fresh('p', list), name: 'Product ' + (list.length + 1), capacity_mw: 10, risk: 0, bus: '1', units: 10, opening: 0, reserve: 0, quantity: 1 }] });
      redraw();
      return;
    } else {
      const chosen = grid.getSelectedRows();
      if (!chosen.length) { headroom.toast('Choose the rows to remove first: press them, with Ctrl for several', null); return; }
      if (chosen.length === list.length) { headroom.toast('One has to stay', null); return; }
      const before = Object.assign({}, draft, { store: 'auction-opened' });
      if (name === SEATS) draft.spare = (draft.spare || []).concat(chosen);
      grid.applyTransaction({ remove: chosen });
      headroom.toast(chosen.length === 1 ? 'Removed ' + chosen[0].name : 'Removed ' + chosen.length + ' rows', before);
      if (name === LOTS) { redraw(); return; }
    }
    changed();
  }
  function redraw() { // the seats have a column per product
    const lots = rows(LOTS), seats = rows(SEATS);
    const whole = Object.assign({}, draft, { lots: lots || draft.lots, seats: seats || draft.seats, at: Date.now() });
    keep(whole);
    headroom.setProps('auction-opened', { data: whole });
  }
  document.addEventListener('click', function (event) {
    const target = event.target.closest ? event.target : document.body;
    const button = target.closest('[data-auction-rows]');
    if (button) act(button.getAttribute('data-auction-rows'));
    else if (target.closest('[data-auction-afresh]') && draft) {
      const before = draft, start = before.start;
      forget(before.source);
      headroom.setProps('auction-opened', { data: Object.assign({}, start, { at: Date.now() }) });
      headroom.toast('The draft is as it began', Object.assign({}, before, { store: 'auction-opened', start: start }));
    }
  });

  function holds(needs, values) {
    const not = needs.indexOf('!=') >= 0, parts = needs.split(not ? '!=' : '=');
    return (String(values[parts[0]]) === parts[1]) !== not;
  }
  function show(values, currency) {
    document.querySelectorAll('#auction-form [data-needs]').forEach(function (element) {
      element.hidden = !holds(element.getAttribute('data-needs'), values);
    });
    document.querySelectorAll('#auction-form [data-currency]').forEach(function (element) { element.textContent = currency; });
  }
  function same(a, b) {
    return Object.keys(b).every(function (key) { return String(a[key]) === String(b[key]); });
  }

  const clientside = {
    openDraft: function (start) {
      if (!start || !start.source) return NO();
      const held = kept(start.source);
      const usable = held && Array.isArray(held.lots) && Array.isArray(held.seats) && held.rules;
      return Object.assign({}, usable ? held : start, { start: start, at: Date.now() });
    },
    // Every control in, the draft out. A preset writes its values into the controls; a control changed by hand makes
    // the rules "its own" unless they are those of a preset.
    collect: function (preset, given, title, currency, seed, seats, _lots, _cells, _changed, presets, opened) {
      const context = window.dash_clientside.callback_context;
      const ids = (context.inputs_list[1] || []).map(function (one) { return one.id.name; });
      if (!opened || !ids.length) return [ids.map(NO), NO(), NO(), NO()];
      if (!draft || draft.source !== opened.source || draft.drawn !== opened.at) draft = Object.assign({}, opened, { drawn: opened.at });
      const by = context.triggered.map(function (one) { return one.prop_id; });
      let values = {};
      ids.forEach(function (id, place) { values[id] = given[place] === undefined ? null : given[place]; });
      let out = ids.map(NO), chosen = preset;
      if (by.length === 1 && by[0] === 'auction-preset.value' && presets[preset] && !same(values, presets[preset])) {
        values = Object.assign({}, values, presets[preset]);
        out = ids.map(function (id) { return values[id]; });
      } else {
        const named = [preset].concat(Object.keys(presets)).find(function (name) { return presets[name] && same(values, presets[name]); });
        chosen = named || 'Own';
      }
      if (by.indexOf('auction-seats.value') >= 0) seatCount(Number(seats));
      const lots = rows(LOTS), seated = rows(SEATS);
      draft = Object.assign({}, draft, {
        preset: chosen, rules: values, title: title, currency: currency, seed: seed,
        lots: lots || draft.lots, seats: seated || draft.seats,
      });
      show(values, currency || '');
      const kept = Object.assign({}, draft);
      delete kept.start; delete kept.drawn; delete kept.at; delete kept.store;
      keep(kept);
      const number = draft.seats.length;
      return [out, chosen === preset ? NO() : chosen, Number(seats) === number ? NO() : number, kept];
    },
    // Values that were built go into the chosen seats, else into all of them.
    useWorth: function (found) {
      const grid = api(SEATS);
      if (!found || !grid || !draft) return NO();
      const chosen = grid.getSelectedRows(), list = chosen.length ? chosen : rows(SEATS);
      const before = Object.assign({}, draft, { store: 'auction-opened' });
      const update = list.map(function (row) {
        const kept = {};
        Object.keys(row).forEach(function (key) { if (key.indexOf('value:') !== 0) kept[key] = row[key]; });
        return Object.assign(kept, found.row);
      });
      grid.applyTransaction({ update: update });
      headroom.toast('Values set for ' + (update.length === 1 ? update[0].name : update.length + ' seats'), before);
      changed();
      return NO();
    },
    made: function (id) {
      if (id && draft) forget(draft.source);
      return NO();
    },
  };
  window.dash_clientside.auction = Object.assign({}, window.dash_clientside.auction, clientside);
})();
