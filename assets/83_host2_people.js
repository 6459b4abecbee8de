// The people of an auction as its host sees them: who is here, who has acted, who waits, and what may be done about it.
(function () {
  'use strict';
  const headroom = window.headroom;
  const d = headroom.pane, h = d.h;
  const AWAY_S = 15; // a browser that has not asked for so long is told as away
  const FEW = 6; // so many bots are listed at once; more are folded
  const NAMED = 12; // people named of those who have not acted yet

  // Seats of people who may bid: all, those with somebody in them, those empty, and who of them has acted.
  function acted(s) {
    const people = s.host.bidders.filter(function (one) { return !one.bot && !one.muted; });
    return {
      people: people,
      here: people.filter(function (one) { return one.devices > 0; }),
      empty: people.filter(function (one) { return !one.devices; }),
      done: people.filter(function (one) { return one.acted; }),
    };
  }
  function free(s) { return s.host.bidders.filter(function (one) { return !one.bot && !one.devices; }); }
  // One order after the other: each is answered before the next is sent.
  function each(list, send) {
    const rest = list.slice();
    (function next() { if (rest.length) send(rest.shift(), next); })();
  }
  function admitAll(room, tools) {
    const taken = new Set(); // the snapshot may be older than the last admission
    each(room.snapshot.host.waiting, function (one, next) {
      const seat = free(room.snapshot).find(function (empty) { return !taken.has(empty.id); });
      if (seat) taken.add(seat.id);
      tools.act('admit', { waiting: one.id, bidder: seat ? seat.id : '', name: one.name }, next);
    });
  }
  function fill(room, tools, seats) {
    each(seats, function (one, next) { tools.act('bot', { bidder: one.id, bot: tools.bots[0][0] }, next); });
  }
  function called(one) { // the seat, and who sits there by his own name
    const who = (one.who || []).filter(function (name) { return one.name.indexOf(name) !== 0; });
    return who.length ? who.join(', ') + ' (' + one.name + ')' : one.name;
  }
  function status(one, s) {
    const away = !one.bot && (one.seen_s_ago === null || one.seen_s_ago === undefined || one.seen_s_ago > AWAY_S);
    if (one.muted) return ['muted', 'muted'];
    if (one.bot) return ['bot', 'bot'];
    if (s.activity_rule && one.eligibility === 0) return ['out', 'out: no eligibility left'];
    if (s.phase !== 'open' && s.phase !== 'paused') return away ? ['away', one.seen_s_ago === null || one.seen_s_ago === undefined ? 'not here yet' : 'away'] : ['here', 'here'];
    if (one.acted) return ['acted', one.bids ? 'bid on ' + one.bids : 'acted'];
    return away ? ['away', one.seen_s_ago === null || one.seen_s_ago === undefined ? 'not here yet' : 'away'] : ['waiting', 'not yet'];
  }
  function awaited(s, who) { // who of the people here has not acted; the rows below tell the rest
    const late = s.phase === 'open' ? who.here.filter(function (one) { return !one.acted; }) : [];
    if (!late.length) return null;
    return h('p', { class: 'hr-host-awaited' }, 'Not yet: ' + late.slice(0, NAMED).map(called).join(', ') + (late.length > NAMED ? ' and ' + (late.length - NAMED) + ' more' : ''));
  }

  // The pane --------------------------------------------------------------------------------------------------------
  function pane(s, tools) {
    const own = tools.own, press = tools.press, redraw = tools.redraw;
    const waiting = s.host.waiting || [], empty = free(s);
    const over = s.phase === 'closed' || s.phase === 'cancelled';
    return [
      h('h2', { class: 'hr-pane-title' }, 'People'),
      waiting.length > 0 && h('ul', { class: 'hr-host-waiting', 'aria-label': 'Waiting for a seat' }, waiting.map(function (one) {
        const chosen = own.seats[one.id] !== undefined ? own.seats[one.id] : empty.length ? empty[0].id : '';
        return h('li', { key: one.id },
          h('strong', null, one.name), ' waits',
          h('div', { class: 'hr-host-row' },
            h('label', null, h('span', { class: 'visually-hidden' }, 'Seat for ' + one.name),
              h('select', { class: 'hr-host-select', value: chosen, on: { change: function (event) { own.seats[one.id] = event.target.value; redraw(); } } },
                empty.map(function (seat) { return h('option', { key: seat.id, value: seat.id }, seat.name); }), h('option', { key: 'new', value: '' }, 'a new seat'))),
            press('Admit', 'admit', { waiting: one.id, bidder: chosen, name: one.name }, { key: 'admit' + one.id, primary: true, label: 'Admit ' + one.name }),
            press('Refuse', 'refuse', { waiting: one.id }, { key: 'refuse' + one.id, quiet: true, label: 'Refuse ' + one.name })));
      })),
      rows(s.host.bidders.filter(function (one) { return !one.bot; }), 'People', s, over, tools),
      bots(s, over, tools),
      !s.host.bidders.length && h('p', { class: 'hr-muted' }, 'No seat yet.'),
      !over && h('form', { class: 'hr-host-say', on: { submit: function (event) { event.preventDefault(); addSeat(tools); } } },
        h('label', null, h('span', { class: 'visually-hidden' }, 'Name of a new seat'),
          h('input', { class: 'hr-input', placeholder: 'Name of a new seat', maxlength: 60, value: own.seat, on: { input: function (event) { own.seat = event.target.value; } } })),
        h('button', { type: 'submit', class: 'hr-button', disabled: Boolean(own.busy) }, 'Add a seat')),
    ];
  }
  function rows(list, label, s, over, tools) {
    return list.length > 0 && h('ul', { class: 'hr-host-people', key: label, 'aria-label': label }, list.map(function (one) { return person(one, s, over, tools); }));
  }
  function bots(s, over, tools) { // behind one line where they are many: a host looks for people
    const list = s.host.bidders.filter(function (one) { return one.bot; }), own = tools.own;
    if (list.length <= FEW) return rows(list, 'Bots', s, over, tools);
    const wide = Boolean(own.open.bots);
    const held = list.reduce(function (sum, one) { return sum + (one.holdings || []).reduce(function (blocks, lot) { return blocks + lot.blocks; }, 0); }, 0);
    return [
      h('button', { type: 'button', key: 'bots', class: 'hr-host-person hr-host-fold', 'aria-expanded': String(wide), on: { click: function () { own.open.bots = !wide; tools.redraw(); } } },
        h('span', { class: 'hr-host-mark', 'data-status': 'bot', 'aria-hidden': 'true' }),
        h('span', { class: 'hr-host-name' }, d.count(list.length, 'bot')),
        h('span', { class: 'hr-muted' }, wide ? 'fold' : 'show all'),
        h('span', { class: 'hr-host-pay' }, held ? d.number(held) + ' held, ' + tools.money(list.reduce(function (sum, one) { return sum + one.pay; }, 0)) : 'hold nothing')),
      wide && rows(list, 'Bots', s, over, tools)];
  }
  function addSeat(tools) {
    const own = tools.own;
    const name = own.seat.trim();
    if (name) tools.act('seat', { name: name }, function () { own.seat = ''; });
  }
  function rename(one, tools) {
    const own = tools.own, name = (own.names[one.id] || '').trim();
    if (name) tools.act('rename', { bidder: one.id, name: name }, function () { own.names[one.id] = ''; own.open[one.id] = false; });
  }
  function person(one, s, over, tools) {
    const own = tools.own, press = tools.press, ask = tools.ask, money = tools.money, redraw = tools.redraw, bots = tools.bots, keyField = tools.keyField;
    const fold = function () { own.open[one.id] = false; };
    const told = status(one, s), wide = Boolean(own.open[one.id]);
    const blocks = (one.holdings || []).reduce(function (sum, held) { return sum + held.blocks; }, 0);
    const units = one.eligibility !== null && one.eligibility !== undefined ? d.number(one.activity || 0) + ' of ' + d.number(one.eligibility) + ' units' : '';
    return h('li', { key: one.id },
      h('button', { type: 'button', class: 'hr-host-person', 'aria-expanded': String(wide), on: { click: function () { own.open[one.id] = !wide; redraw(); } } },
        h('span', { class: 'hr-host-mark', 'data-status': told[0], 'aria-hidden': 'true' }),
        h('span', { class: 'hr-host-name' }, called(one)),
        h('span', { class: 'hr-muted' }, told[1] + (one.bot ? ': ' + one.bot : '')),
        h('span', { class: 'hr-host-pay' }, blocks ? blocks + ' held, ' + money(one.pay) : 'holds nothing')),
      wide && h('div', { class: 'hr-host-person-more' },
        h('p', { class: 'hr-muted' }, [units && 'active on ' + units, one.waivers ? d.count(one.waivers, 'waiver') + ' left' : '', one.seen_s_ago !== null && one.seen_s_ago !== undefined && !one.bot ? 'seen ' + d.number(one.seen_s_ago) + ' s ago' : ''].filter(Boolean).join(', ')),
        !over && h('div', { class: 'hr-host-row' },
          press(one.muted ? 'Unmute' : 'Mute', 'mute', { bidder: one.id, muted: !one.muted }, { key: 'mute', label: (one.muted ? 'Unmute ' : 'Mute ') + one.name }),
          one.bot ? press('Give back to a person', 'bot', { bidder: one.id, bot: '' }, { key: 'bot', done: fold })
            : [h('label', { key: 'kind' }, h('span', { class: 'visually-hidden' }, 'Kind of bot for ' + one.name),
              h('select', { class: 'hr-host-select', value: own.seats['bot ' + one.id] || (bots[0] && bots[0][0]), on: { change: function (event) { own.seats['bot ' + one.id] = event.target.value; } } },
                bots.map(function (kind) { return h('option', { key: kind[0], value: kind[0] }, kind[1]); }))),
              press('Let a bot play', 'bot', null, { key: 'bot', click: function () { tools.act('bot', { bidder: one.id, bot: own.seats['bot ' + one.id] || bots[0][0] }, fold); } })],
          !one.bot && press('New personal link', 'invite', { bidder: one.id }, { key: 'invite', quiet: true, done: function (answer) { own.keys[one.id] = answer.key; } })),
        !over && h('form', { class: 'hr-host-say', on: { submit: function (event) { event.preventDefault(); rename(one, tools); } } },
          h('label', null, h('span', { class: 'visually-hidden' }, 'Another name for ' + one.name),
            h('input', { class: 'hr-input', placeholder: s.information === 'full' ? 'Another name, seen by all' : 'Another name of the seat', maxlength: 60, value: own.names[one.id] || '', on: { input: function (event) { own.names[one.id] = event.target.value; } } })),
          h('button', { type: 'submit', class: 'hr-button', disabled: Boolean(own.busy) }, 'Rename')),
        s.phase === 'closed' && blocks > 0 && h('div', { class: 'hr-host-row' },
          own.ask === 'default ' + one.id ? [
            h('span', { key: 'words' }, 'The bidder loses all that was won and owes what the sale loses by it.'),
            press('Note the default', 'default', { bidder: one.id, lots: one.holdings.map(function (held) { return held.lot; }) }, { primary: true }),
            press('Keep it', 'keep', null, { click: function () { own.ask = ''; redraw(); } })]
            : ask('Does not pay', 'default ' + one.id, { label: 'Does not pay: ' + one.name })),
        own.keys[one.id] && keyField('auction-key-' + one.id, 'Whoever opens this takes the seat; other devices are put out', '/auction/join#key=' + own.keys[one.id])));
  }

  headroom.hostPeople = { acted: acted, awaited: awaited, pane: pane, admitAll: admitAll, fill: fill };
})();
