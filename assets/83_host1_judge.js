// What only the host sees of a round: its certificate by the bidders' values, and whether what is held can be delivered.
(function () {
  'use strict';
  const headroom = window.headroom;
  const d = headroom.pane, h = d.h;
  const MOST = 6; // bidders named at once; the others are behind a press

  function fact(name, value) { return h('div', { class: 'hr-fact' }, h('dt', null, name), h('dd', null, value)); }
  function section(key, title, children) { return h('section', { class: 'hr-section', key: key }, h('h3', { class: 'hr-section-title' }, title), children); }

  function headline(c, closed) { // [look, words]
    const known = c.bidders.filter(function (one) { return one.known; });
    const want = known.filter(function (one) { return !one.holds; });
    if (c.badge === 'equilibrium') return ['hr-host-good', closed ? 'A competitive equilibrium' : 'An equilibrium, if it ended now: nobody wants anything else'];
    if (c.badge === 'none') return ['hr-muted', c.words && c.words[0] ? c.words[0] : 'No badge'];
    if (closed) return ['hr-host-bad', 'No equilibrium: ' + (want.length ? want.length + ' of ' + d.count(known.length, 'bidder') + ' would rather hold something else' : 'products are left at a price')];
    return ['hr-host-yet', want.length ? 'Not yet an equilibrium: ' + want.length + ' of ' + d.count(known.length, 'bidder') + (want.length === 1 ? ' wants' : ' want') + ' more' : 'Not yet an equilibrium: products are unsold at a price'];
  }
  function wish(one, s, tools) { // one line, and the products behind a press
    const names = new Map(s.lots.map(function (lot) { return [lot.id, lot.name]; }));
    const key = 'wish ' + one.id, wide = Boolean(tools.open[key]);
    const count = one.best.reduce(function (sum, pair) { return sum + pair[1]; }, 0);
    return h('li', { key: key },
      h('button', { type: 'button', class: 'hr-host-wish', 'aria-expanded': String(wide), on: { click: function () { tools.open[key] = !wide; tools.redraw(); } } },
        h('strong', null, one.name), ': ' + tools.money(one.envy) + ' more with ' + (count ? d.count(count, 'product') : 'nothing')),
      wide && h('p', { class: 'hr-muted' }, one.best.length ? one.best.map(function (pair) { return (pair[1] > 1 ? pair[1] + ' of ' : '') + (names.get(pair[0]) || pair[0]); }).join(', ') : 'It would be better for the bidder to hold nothing.'));
  }
  function gap(c, money) {
    if (c.gap === null || c.gap === undefined) return 'not known';
    return d.why('auction-gap', money(c.gap), 'gap of the prices', {
      formula: 'gap = L(p) \u2212 W*, L(p) = \u03a3 p + \u03a3 max [v(S) \u2212 p(S)]',
      values: [['L(p)', money(c.dual_value)], ['W*, best possible welfare', money(c.optimum)], ['least L(p) of any prices', money(c.linear_bound)]],
      note: c.gap === 0 ? 'The prices support an equilibrium.' : 'Zero exactly where the prices support an equilibrium of the bidders\u2019 own values.',
      source: 'linear program of Bikhchandani and Mamer (1997)',
    });
  }
  function welfare(c, money) {
    if (c.welfare === null || c.welfare === undefined) return 'at least ' + money(c.welfare_at_least);
    return d.why('auction-welfare', money(c.welfare), 'welfare of the holders', {
      formula: 'W = \u03a3 v(X), loss = W* \u2212 W',
      values: [['Best possible W*', money(c.optimum)], ['Below it', money(c.loss)], ['Bound (9): one increment a product', money(c.bound)], ['Tighter: products that moved', money(c.tighter_bound)]],
      source: 'proposition 3 and bound (9), arXiv 2604.08854',
    });
  }
  function broken(premises) { // kinds of premises, and in how many places each was broken
    const kinds = new Set(premises.map(function (one) { return one.premise; })).size;
    return d.count(kinds, 'premise') + ' of the theory broken' + (premises.length > kinds ? ', in ' + premises.length + ' places' : '');
  }
  function certificate(s, tools) {
    const c = s.host.certificate;
    if (!c || !c.round || !c.bidders) return section('certificate', 'Certificate', h('p', { class: 'hr-muted' }, s.host.certificate_words || 'It is worked out when a round has closed.'));
    const look = headline(c, s.phase === 'closed');
    const want = c.bidders.filter(function (one) { return one.known && !one.holds; }).sort(function (a, b) { return b.envy - a.envy; });
    const shown = tools.open.wishes ? want : want.slice(0, MOST);
    const none = (c.words || []).filter(function (line) { return line.indexOf('linear-price') >= 0; });
    return section('certificate', 'Certificate of round ' + c.round, [
      h('p', { class: look[0] }, look[1]),
      h('dl', { class: 'hr-facts' }, fact('Gap of the prices', gap(c, tools.money)), fact('Welfare', welfare(c, tools.money))),
      none.map(function (line) { return h('p', { class: 'hr-host-bad', key: 'none' }, line); }),
      shown.length > 0 && h('ul', { class: 'hr-host-wishes', 'aria-label': 'Who would rather hold something else' }, shown.map(function (one) { return wish(one, s, tools); })),
      want.length > MOST && h('button', { type: 'button', class: 'hr-button hr-button-quiet', on: { click: function () { tools.open.wishes = !tools.open.wishes; tools.redraw(); } } }, tools.open.wishes ? 'Fewer' : 'and ' + (want.length - MOST) + ' more'),
      h('details', { key: 'words' }, h('summary', null, 'In words'), h('ul', { class: 'hr-host-lines' }, (c.words || []).map(function (line, place) { return h('li', { key: 'c' + place }, line); }))),
      c.premises && c.premises.length > 0 && h('details', { key: 'premises' }, h('summary', null, broken(c.premises)),
        h('ul', { class: 'hr-host-lines' }, c.premises.map(function (one, place) { return h('li', { key: 'p' + place }, one.words + (one.event ? ' (entry ' + one.event + ')' : '')); }))),
      h('p', { class: 'hr-muted hr-host-small' }, 'It uses assigned values: seen by you and in the debrief only.')]);
  }

  function deliverability(s, tools) {
    const told = s.host.deliverability, network = s.host.version !== null && s.host.version !== undefined;
    const rows = told && told.witness && told.witness.rows ? told.witness.rows : [];
    const words = told ? told.words : network ? 'It is checked after each round.' : 'These products come from no network: there is nothing to check.';
    const look = told && told.holds === true ? 'hr-host-good' : told && told.holds === false ? 'hr-host-bad' : 'hr-muted';
    return section('deliverability', 'Deliverability of what is held' + (told && told.round ? ', round ' + told.round : ''), [
      h('p', { class: look }, words),
      rows.length > 0 && h('dl', { class: 'hr-facts' }, fact('Tightest limit', d.why('auction-delivery', d.number(rows[0].slack_mw, 1) + d.THIN + 'MW left', 'tightest limit', {
        formula: 'used \u2264 margin, for each limit and level',
        values: rows.slice(0, 4).map(function (row) { return [row.element + (row.words ? ', ' + row.words : ''), d.number(row.used_mw, 1) + ' of ' + d.number(row.margin_mw, 1) + ' MW']; }),
        note: 'Rebuilt from the stored network and its states, not from the list of products.',
        source: 'firm: every state of the set; flexible: CVaR at the level that was sold',
      }))),
      network && s.round > 0 && tools.press('Check again', 'deliver', {}, { quiet: true })]);
  }

  headroom.hostJudge = { certificate: certificate, deliverability: deliverability };
})();
