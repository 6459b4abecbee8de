// What a live page says above all else: where the auction stands, and what is wrong with this seat. Also its clock.
(function () {
  'use strict';
  const headroom = window.headroom, D = headroom.pane, h = D.h, B = headroom.bidding;

  function line(kind, title, words, action) {
    return h('div', { key: kind + title, class: 'hr-room-line hr-room-line-' + kind, role: kind === 'wrong' ? 'alert' : undefined },
      h('strong', null, title), words && h('span', null, words), action);
  }
  function link(text, address) { return h('a', { class: 'hr-button', href: address }, text); }
  const REFUSED = {
    'no seat': ['You have no seat here', 'Join with the code that the host shows.'],
    'seat elsewhere': ['This seat was opened by another link', 'The host gave it a new personal link; this device has lost it. Ask the host for the link.'],
    'no link': ['This page is for those who were invited', 'Open the spectators\u2019 link that the host gave out, or join with the code.'],
    unknown: ['No auction has this address', 'Ask the host for the link, or join with the code that is on the screen.'],
  };
  function debrief(room) { return link('See the debrief', '/auction/debrief?auction=' + encodeURIComponent(room.auction)); }

  // The lines for a page; seat is null on a page to watch.
  function states(room, seat) {
    const s = room.snapshot, found = [];
    if (room.refusal) {
      const known = REFUSED[room.refusal.code] || (room.refusal.status === 404 ? REFUSED.unknown : [room.refusal.error || 'This page cannot be shown', room.refusal.detail]);
      found.push(line('wrong', known[0], known[1], link('Join an auction', '/auction/join')));
      return found;
    }
    if (!s) return found;
    const mine = seat && seat.mine, left = room.left();
    if (seat && !mine) {
      found.push(line('wait', 'Waiting to be admitted', (s.waiting ? 'You are in the waiting list as ' + s.waiting.name + '. ' : '') + 'The host lets you in; this page goes on by itself.'));
    }
    if (!s.lots) return found; // all that somebody who waits is told
    if (s.practice) found.push(line('practice', 'Practice', 'Everything works as it will, and nothing counts: all of it is undone before the auction begins.'));
    if (s.phase === 'set up') found.push(line('wait', 'Waiting for the opening', D.count(s.bidders, 'bidder') + (s.bidders === 1 ? ' is' : ' are') + ' registered. You can look at the products and the rules.'));
    else if (s.phase === 'paused') found.push(line('wait', 'Paused', 'The host has stopped the clock. Bids are taken again when it goes on.'));
    else if (s.phase === 'cancelled') found.push(line('over', 'Cancelled', (sentence(s.ended_because) || 'The host has cancelled the auction.') + ' Nothing is sold and nobody pays.'));
    else if (s.phase === 'closed') {
      const won = mine ? (mine.holdings.length ? 'You won ' + mine.holdings.map(function (one) { return seat.by.get(one.lot).lot.name + (one.blocks > 1 ? ' \u00d7' + one.blocks : ''); }).join(', ') + ' and pay ' + B.money(seat, mine.pay) + '.' : 'You won nothing and pay ' + B.money(seat, mine.pay || 0) + '.') : '';
      const back = mine && mine.interim_due ? 'Besides, you pay ' + B.money(seat, mine.interim_due) + ' for withdrawn bids.' : '';
      found.push(line('over', 'The auction is over', [sentence(s.ended_because), won, back].filter(Boolean).join(' '), debrief(room)));
    } else if (left !== null && left <= 0) found.push(line('wait', 'Round ' + s.round + ' is over', 'Its result is being worked out.'));
    const running = s.phase !== 'closed' && s.phase !== 'cancelled';
    if (mine && running && B.out(seat)) found.push(line('wrong', 'You are out of the bidding', 'Your eligibility is 0 units. What you hold stays yours.'));
    if (mine && running && mine.muted) found.push(line('wrong', 'The host has stopped your bids', 'Your standing bids stay. Ask the host.'));
    if (mine && mine.bot && running) found.push(line('wait', 'A bot bids in your seat', 'It plays ' + mine.bot + '.', h('button', { type: 'button', class: 'hr-button', on: { click: seat.takeBack } }, 'Take my seat back')));
    return found;
  }

  function stageWords(s) {
    const share = B.requiredShare(s);
    if (!s.stages || !s.stages.length || share === null) return '';
    return (s.stages.length > 1 ? 'Stage ' + (s.stage + 1) + ' of ' + s.stages.length + ', ' : '') + 'activity ' + D.percent(share);
  }
  function sentence(text) { // with a capital and its full stop
    const plain = String(text || '').trim();
    return plain ? plain.charAt(0).toUpperCase() + plain.slice(1) + (/[.?]$/.test(plain) ? '' : '.') : '';
  }
  function phaseWords(s) {
    if (s.phase === 'set up') return 'Not opened yet';
    if (s.phase === 'closed') return 'Closed after round ' + (s.results ? s.results.round : s.round);
    if (s.phase === 'cancelled') return 'Cancelled in round ' + s.round;
    return (s.practice ? 'Practice round ' : 'Round ') + s.round;
  }
  // {text, words, last}: the time left as it is drawn and as it is read
  function clock(room) {
    const s = room.snapshot, left = room.left();
    if (s.phase === 'paused') return { text: typeof s.remaining_s === 'number' ? D.span(s.remaining_s) : '', words: 'paused', last: false };
    if (s.phase !== 'open') return { text: D.DASH, words: '', last: false };
    if (left === null) return room.now() === null && s.deadline ? { text: '\u2026', words: 'Asking for the time', last: false } : { text: '', words: s.pace === 'all acted' ? 'The round ends when all have acted' : 'The host ends the round', last: false };
    return { text: D.span(left), words: 'left in the round', last: left <= 10 };
  }

  function head(room, more) {
    const s = room.snapshot, time = clock(room);
    return [
      h('div', { class: 'hr-room-title' }, h('h2', null, s.title), more),
      h('div', { class: 'hr-room-round' }, h('strong', null, phaseWords(s)), h('span', null, stageWords(s))),
      h('div', { class: 'hr-room-clock' + (time.last ? ' hr-room-last' : ''), role: 'timer' }, h('strong', null, time.text), h('span', null, time.words)),
    ];
  }
  // What is read aloud once in a round: half a minute and ten seconds before its end.
  function Sayer(room) {
    let said = '';
    return function () {
      const left = room.left();
      if (left === null || left <= 0) return;
      const mark = left <= 10 ? 10 : left <= 30 ? 30 : 0;
      const key = room.snapshot.round + '/' + room.snapshot.deadline + '/' + mark;
      if (mark && key !== said) { said = key; room.say(mark + ' seconds left in round ' + room.snapshot.round); }
    };
  }

  Object.assign(B, { states: states, head: head, clock: clock, stageWords: stageWords, sentence: sentence, phaseWords: phaseWords, Sayer: Sayer, debriefLink: debrief });
})();
