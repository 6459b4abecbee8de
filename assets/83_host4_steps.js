// What a host does before the opening, in its order: invite, seat, open. What stands in the way is told at its step.
(function () {
  'use strict';
  const headroom = window.headroom;
  const d = headroom.pane, h = d.h;

  function many(s, room, tools) { // presses for many people at once
    const who = headroom.hostPeople.acted(s), waiting = (s.host.waiting || []).length, press = tools.press;
    const able = who.empty.filter(function (one) { return one.assigned; });
    return [
      waiting > 0 && press(waiting === 1 ? 'Admit the one who waits' : 'Admit all ' + waiting + ' who wait', 'admit all', null, { primary: s.phase === 'set up', click: function () { headroom.hostPeople.admitAll(room, tools); } }),
      able.length > 0 && press(able.length === 1 ? 'Give the empty seat to a bot' : 'Give the ' + able.length + ' empty seats to bots', 'bots', null, { quiet: true, click: function () { headroom.hostPeople.fill(room, tools, able); } }),
    ].filter(Boolean);
  }
  function step(key, number, title, done, children) {
    return h('li', { key: key, class: 'hr-host-step', 'data-done': done },
      h('span', { class: 'hr-host-step-number', 'aria-hidden': 'true' }, done ? '\u2713' : String(number)),
      h('div', null, h('h3', { class: 'hr-host-step-title' }, title, done && h('span', { class: 'visually-hidden' }, ', done')), children));
  }
  function inviting(s, who, tools) {
    const given = tools.invitation, link = (given.links || [])[0], only = s.host.bidders.length > 0 && !who.people.length;
    const code = h('strong', { class: 'hr-host-step-code' }, s.host.code);
    const open = function () { window.setTimeout(function () { document.getElementById('auction-invite').click(); }, 0); };
    return [
      given.warning && !only && h('p', { class: 'hr-host-warning', role: 'status' }, given.warning),
      only ? h('p', { class: 'hr-muted' }, 'Not needed: bots sit in ' + (s.host.bidders.length === 1 ? 'the only seat' : 'all ' + s.host.bidders.length + ' seats') + '. Who wants to bid too joins with the code ', code, '.')
        : h('p', null, link ? [link.address.split('?')[0].replace(/^https?:\/\//, ''), ', code '] : 'On this machine: /auction/join, code ', code),
      h('div', { class: 'hr-host-row' },
        tools.press('QR code and links', 'invite popover', null, { click: open, quiet: only }),
        tools.press(s.host.shows_code ? 'Take the code off the projector' : 'Show the code on the projector', 'show_code', { on: !s.host.shows_code }, { quiet: true })),
    ];
  }
  function seating(s, who, room, tools) {
    const waiting = (s.host.waiting || []).length, bots = s.host.bidders.filter(function (one) { return one.bot; }).length;
    const words = [
      who.people.length ? who.here.length + ' of ' + d.count(who.people.length, 'seat') + ' for people ' + (who.people.length === 1 ? 'is' : 'are') + ' taken' : s.host.bidders.length ? 'No seat is for people' : 'There is no seat yet',
      bots ? d.count(bots, 'bot') + ' besides' : '', waiting ? waiting + (waiting === 1 ? ' waits' : ' wait') : '',
    ].filter(Boolean).join(', ') + '. ';
    return [
      h('p', null, words, s.host.automatic ? 'Who has the code gets a seat at once.' : 'Who has the code waits until you admit them.',
        ' ', s.information === 'full' ? 'Others see the name of who bids.' : 'Bidding is anonymous: only you see names.'),
      h('div', { class: 'hr-host-row' }, many(s, room, tools),
        tools.press(s.host.automatic ? 'Let everybody wait for me' : 'Seat everybody who has the code', 'automatic', { on: !s.host.automatic }, { quiet: s.host.automatic || waiting > 0 })),
    ];
  }
  function opening(s, who, tools) {
    const empty = who.empty.length;
    const words = !s.host.bidders.length ? 'It opens with at least one seat.'
      : empty ? d.count(empty, 'seat is', 'seats are') + ' empty and will not act; late comers may still take ' + (empty === 1 ? 'it.' : 'them.') : 'A practice counts for nothing.';
    return [
      h('p', { class: 'hr-muted' }, words),
      h('div', { class: 'hr-host-row' },
        tools.press('Practice round', 'practice', { on: true }, { off: !s.host.bidders.length }),
        tools.press('Open round 1', 'open', {}, { large: true, off: !s.host.bidders.length }))];
  }
  function list(s, room, tools) {
    const who = headroom.hostPeople.acted(s), waiting = (s.host.waiting || []).length;
    const seated = s.host.bidders.length > 0 && !who.empty.length && !waiting;
    return h('ol', { class: 'hr-host-steps', key: 'steps', 'aria-label': 'What to do next' },
      step('invite', 1, 'Invite', who.here.length + waiting > 0 || seated, inviting(s, who, tools)),
      step('seat', 2, 'Seat', seated, seating(s, who, room, tools)),
      step('open', 3, 'Open', false, opening(s, who, tools)));
  }

  headroom.hostSteps = { list: list, many: many };
})();
