// The host's desk, drawn from the host's snapshot: products at the left, the round and the people in the middle,
// certificate and log at the right; on a phone these are tabs. Every press asks the server; nothing is assumed done.
(function () {
  'use strict';
  const headroom = window.headroom;
  const d = headroom.pane, h = d.h;
  const PANES = [['round', 'Round'], ['people', 'People'], ['lots', 'Products'], ['log', 'Log']];
  const PHASES = { 'set up': 'Not open yet', open: 'Open', paused: 'Paused', closed: 'Closed', cancelled: 'Cancelled' };

  const ALIKE = 3; // so many entries of one kind and moment stand by themselves in the log
  const RUNS = { admitted: 'seats were made', 'bids submitted': 'sets of bids by bots' };

  headroom.room.page('host', function (root, room) {
    const parts = {};
    root.querySelectorAll('[data-host]').forEach(function (part) { parts[part.dataset.host] = part; });
    const invitation = JSON.parse(root.dataset.invitation || '{}');
    const bots = JSON.parse(root.dataset.bots || '[]');
    const own = { pane: 'round', busy: '', ask: '', reason: '', text: '', seat: '', sort: '', shown: 0, search: '', way: 0, keys: {}, seats: {}, names: {}, open: {} };
    const tools = { money: money, press: press, ask: ask, act: act, keyField: keyField, own: own, open: own.open, bots: bots, redraw: redraw, invitation: invitation };
    let seen = null; // {round, phase} of what was told last

    function redraw() { room.redraw(); }
    function act(what, body, done) {
      if (own.busy) return;
      own.busy = what;
      redraw();
      room.post('host', Object.assign({ what: what }, body)).then(function (answer) {
        own.busy = '';
        const told = answer.body || {};
        if (answer.status === 0) headroom.toast('The server did not answer: look whether it was done before you try again', null);
        else if (answer.status >= 400 || told.accepted === false) headroom.toast(told.words || told.detail || told.error || 'This was refused', null);
        else {
          own.ask = '';
          own.reason = '';
          if (told.words) room.say(told.words);
          if (done) done(told);
        }
        redraw();
      });
    }
    function press(words, what, body, more) {
      const given = more || {};
      return h('button', {
        type: 'button', key: given.key || what, class: 'hr-button' + (given.large ? ' hr-button-primary hr-host-next' : given.quiet ? ' hr-button-quiet' : given.primary ? ' hr-button-primary' : ''),
        disabled: Boolean(own.busy) || Boolean(given.off), 'aria-label': given.label,
        on: { click: given.click || function () { act(what, body, given.done); } },
      }, own.busy === what && given.large ? 'One moment' : words);
    }
    function ask(words, what, more) { // a press that wants a second one
      return press(words, 'ask ' + what, null, Object.assign({ quiet: true, click: function () { own.ask = own.ask === what ? '' : what; redraw(); } }, more));
    }
    function money(amount) { return amount === null || amount === undefined ? d.DASH : d.number(amount) + d.THIN + room.snapshot.currency; }

    // Head -----------------------------------------------------------------------------------------------------
    function head(s) {
      const phase = s.practice && s.phase === 'open' ? 'Practice' : PHASES[s.phase] || s.phase;
      const id = encodeURIComponent(s.id);
      return [
        h('div', { class: 'hr-host-title' },
          h('h2', null, s.title),
          h('span', { class: 'hr-host-phase', 'data-phase': s.practice ? 'practice' : s.phase }, phase)),
        h('nav', { class: 'hr-host-links', 'aria-label': 'Screens of this auction' },
          rules(s),
          invite(s),
          h('a', { class: 'hr-button hr-button-quiet', href: '/auction/screen?auction=' + id, target: '_blank', rel: 'noopener' }, 'Projector'),
          h('a', { class: 'hr-button hr-button-quiet', href: '/auction/watch?auction=' + id, target: '_blank', rel: 'noopener' }, 'Spectator'),
          h('a', { class: 'hr-button hr-button-quiet', href: '/auction/debrief?auction=' + id }, 'Debrief')),
      ];
    }
    function rules(s) {
      return h('span', { class: 'hr-popover-anchor', key: 'rules' },
        h('button', { type: 'button', class: 'hr-button hr-button-quiet', id: 'auction-rules-words', 'data-popover': 'auction-rules-panel', 'aria-expanded': 'false', 'aria-haspopup': 'dialog' }, 'Rules'),
        h('span', { class: 'hr-popover', role: 'dialog', 'aria-label': 'Rules', 'data-popover-panel': 'auction-rules-panel', style: { width: '420px' } },
          h('ul', { class: 'hr-auction-rules' }, (s.rules_words || []).map(function (line, place) { return h('li', { key: place }, line); }))));
    }
    function qr(rows) {
      const size = rows.length;
      const path = rows.map(function (row, y) {
        return row.split('').map(function (dark, x) { return dark === '1' ? 'M' + x + ' ' + y + 'h1v1h-1z' : ''; }).join('');
      }).join('');
      return h('svg', { class: 'hr-host-qr', viewBox: '-4 -4 ' + (size + 8) + ' ' + (size + 8), role: 'img', 'aria-label': 'QR code of the link', 'shape-rendering': 'crispEdges' },
        h('rect', { x: -4, y: -4, width: size + 8, height: size + 8, fill: '#fff' }), h('path', { d: path, fill: '#000' }));
    }
    function invite(s) {
      const links = invitation.links || [];
      const link = links[Math.min(own.way, links.length - 1)];
      const code = (s.host && s.host.code) || invitation.code;
      return h('span', { class: 'hr-popover-anchor', key: 'invite' },
        h('button', { type: 'button', class: 'hr-button', id: 'auction-invite', 'data-popover': 'auction-invite-panel', 'aria-expanded': 'false', 'aria-haspopup': 'dialog' }, 'Invite, code ', h('strong', null, code)),
        h('span', { class: 'hr-popover', role: 'dialog', 'aria-label': 'Invite', 'data-popover-panel': 'auction-invite-panel', style: { width: '340px' } },
          h('div', { class: 'hr-host-invite' },
            invitation.warning && h('p', { class: 'hr-host-warning', role: 'status' }, invitation.warning),
            link && qr(link.qr),
            h('p', { class: 'hr-host-code' }, 'Code ', h('strong', null, code)),
            link ? [
              h('label', { class: 'hr-field' }, h('span', { class: 'hr-label' }, 'Link, ' + link.words),
                h('input', { class: 'hr-input', id: 'auction-invite-link', readonly: true, value: link.address })),
              h('div', { class: 'hr-host-row' },
                h('button', { type: 'button', class: 'hr-button', 'data-copy': 'auction-invite-link' }, 'Copy'),
                links.length > 1 && press('Another address', 'way', null, { quiet: true, click: function () { own.way = (own.way + 1) % links.length; redraw(); } })),
            ] : h('p', { class: 'hr-muted' }, 'On this machine the page to join is /auction/join.'),
            h('div', { class: 'hr-host-row' },
              press(s.host.shows_code ? 'Take the code off the projector' : 'Show the code on the projector', 'show_code', { on: !s.host.shows_code }),
              press(s.host.automatic ? 'Let everybody wait for me' : 'Seat everybody who has the code', 'automatic', { on: !s.host.automatic }),
              press('Link for spectators', 'watch', {}, { quiet: true, done: function (told) { own.keys.watch = told.key; } }),
              press('Link for a second host', 'invite_host', {}, { quiet: true, done: function (told) { own.keys.host = told.key; } })),
            own.keys.watch && keyField('auction-watch-key', 'Spectators open this; a link given before is void', '/auction/watch#key=' + own.keys.watch),
            own.keys.host && keyField('auction-host-key', 'A second host opens this; a link given before is void', '/auction/join#key=' + own.keys.host))));
    }
    function keyField(id, words, path) {
      const origin = invitation.links && invitation.links.length ? invitation.links[own.way].address.split('/auction/')[0] : window.location.origin;
      return h('div', { class: 'hr-host-key', key: id },
        h('label', { class: 'hr-field' }, h('span', { class: 'hr-label' }, words), h('input', { class: 'hr-input', id: id, readonly: true, value: origin + path })),
        h('button', { type: 'button', class: 'hr-button', 'data-copy': id }, 'Copy'));
    }

    // The round ---------------------------------------------------------------------------------------------------
    const acted = headroom.hostPeople.acted;
    function quiet(s) { // no bid, withdrawal or waiver, and no bot will bid: closed now, the round would end the auction
      return s.host.bidders.every(function (one) { return !one.keeps_open && !one.bot; });
    }
    function next(s) { // the one large button
      if (s.phase === 'paused') return press('Resume round ' + s.round, 'resume', {}, { large: true });
      if (s.phase === 'open' && !s.practice && quiet(s)) return ask('Close round ' + s.round, 'close', { large: true, quiet: false });
      if (s.phase === 'open') return press(s.practice ? 'Close practice round ' + s.round : 'Close round ' + s.round, 'close', { round: s.round }, { large: true });
      if (s.phase === 'closed') return h('a', { key: 'debrief', class: 'hr-button hr-button-primary hr-host-next', href: '/auction/debrief?auction=' + encodeURIComponent(s.id) }, 'Open the debrief');
      return h('a', { key: 'again', class: 'hr-button hr-button-primary hr-host-next', href: '/auction' }, 'To the auctions');
    }
    function nextNote(s) {
      const who = acted(s);
      if (s.phase === 'open') {
        const end = { clock: 'It ends by its clock.', 'all acted': who.people.length ? 'It ends when all have acted.' : 'It ends by its clock, or when you close it.' }[s.pace] || '';
        return end + (who.empty.length ? ' ' + d.count(who.empty.length, 'seat is', 'seats are') + ' empty and will not act.' : '');
      }
      if (s.phase === 'paused') return 'Bids are not taken while the round is paused.';
      return s.ended_because ? s.ended_because[0].toUpperCase() + s.ended_because.slice(1) + '.' : '';
    }
    function inOne(s) { // presses for many people at once
      const many = s.phase === 'open' || s.phase === 'paused' ? headroom.hostSteps.many(s, room, tools) : [];
      return many.length > 0 && h('div', { class: 'hr-host-row hr-host-minor', key: 'many' }, many);
    }
    function clockWords() {
      const s = room.snapshot, left = room.left();
      return s.phase === 'paused' ? (s.remaining_s === null ? 'paused' : d.span(s.remaining_s)) : left === null ? '' : d.span(left);
    }
    function clock(s, who) { // the time that is left; where no clock runs, how many have acted
      if (s.deadline || (s.phase === 'paused' && s.remaining_s !== null)) return [
        h('p', { class: 'hr-host-clock', role: 'timer', 'aria-label': 'Time left in the round', key: 'clock' }, clockWords()),
        h('div', { class: 'hr-host-time', key: 'bar', 'aria-hidden': 'true' }, h('span', { style: { width: '100%' } }))];
      return [
        h('p', { class: 'hr-host-count', key: 'count' }, who.people.length ? who.done.length + ' of ' + who.here.length : d.count(s.host.bidders.length, 'bot')),
        h('p', { class: 'hr-muted hr-host-count-words', key: 'words' }, (who.people.length ? 'have acted; ' : '') + 'no clock: you close the round')];
    }
    function round(s) {
      const who = acted(s), running = s.phase === 'open' || s.phase === 'paused';
      const stages = s.stages && s.stages.length > 1;
      const words = s.phase === 'set up' ? 'Before round 1' : running ? (s.practice ? 'Practice round ' : 'Round ') + s.round : s.phase === 'closed' ? 'Closed after ' + d.count(s.results ? s.results.round : 0, 'round') : 'Cancelled';
      return [
        h('div', { class: 'hr-host-now' },
          h('p', { class: 'hr-host-round' }, words, stages && running ? h('span', { class: 'hr-muted' }, ', stage ' + (s.stage + 1) + ' of ' + s.stages.length + ' (' + d.percent(s.stages[s.stage]) + ')') : null),
          running && clock(s, who),
          s.phase === 'set up' ? headroom.hostSteps.list(s, room, tools) : [next(s), h('p', { class: 'hr-host-next-note' }, nextNote(s))],
          inOne(s),
          h('div', { class: 'hr-host-row hr-host-minor' },
            s.practice && press('End the practice', 'practice', { on: false }),
            s.phase === 'open' && !who.people.length && press(own.playing ? 'Stop playing' : 'Play to the end', 'play', null, { click: function () { own.playing = !own.playing; redraw(); } }),
            s.phase === 'open' && press('Pause', 'pause', {}),
            s.phase === 'open' && s.deadline ? [press('+30 s', 'extend', { seconds: 30 }, { key: 'extend30', label: '+30 s for this round' }), press('+2 min', 'extend', { seconds: 120 }, { key: 'extend120', label: '+2 min for this round' })] : null,
            (running || s.phase === 'closed') && s.round > 1 && s.host.annullable && ask('Annul round ' + (s.round - 1), 'annul'),
            stages && running && s.stage + 1 < s.stages.length && press('Next stage (' + d.percent(s.stages[s.stage + 1]) + ')', 'stage', { stage: s.stage + 1 }, { quiet: true }),
            (running || s.phase === 'set up') && ask('Cancel the auction', 'cancel')),
          confirm(s)),
        running && h('section', { class: 'hr-host-acted', 'aria-label': 'Who has acted' },
          h('h3', { class: 'hr-section-title' }, who.here.length ? who.done.length + ' of ' + d.count(who.here.length, 'person here has acted', 'people here have acted') + (who.empty.length ? ', ' + d.count(who.empty.length, 'seat is', 'seats are') + ' empty' : '') : who.people.length ? 'Nobody is here yet' : 'Only bots play: each acts when the round closes'),
          headroom.hostPeople.awaited(s, who)),
        s.phase !== 'cancelled' && h('form', { class: 'hr-host-say', on: { submit: function (event) { event.preventDefault(); announce(); } } },
          h('label', null, h('span', { class: 'visually-hidden' }, 'Message to all'),
            h('input', { class: 'hr-input', placeholder: 'Message to all', maxlength: 300, value: own.text, on: { input: function (event) { own.text = event.target.value; } } })),
          h('button', { type: 'submit', class: 'hr-button', disabled: Boolean(own.busy) }, 'Announce')),
        s.announcements && s.announcements.length > 0 && h('p', { class: 'hr-muted hr-host-said' }, 'Announced ' + d.clockTime(s.announcements[s.announcements.length - 1].at) + ': ' + s.announcements[s.announcements.length - 1].text),
      ];
    }
    function playOn(s) { // with bots only: round after round, until it is closed or the press is taken back
      if (s.phase !== 'open' || acted(s).people.length) own.playing = false;
      if (!own.playing || own.busy || own.timer) return;
      own.timer = window.setTimeout(function () {
        own.timer = null;
        if (own.playing && root.isConnected && room.snapshot.phase === 'open') act('close', { round: room.snapshot.round });
      }, 300);
    }
    function announce() {
      const text = own.text.trim();
      if (text) act('announce', { text: text }, function () { own.text = ''; });
    }
    function confirm(s) {
      if (own.ask === 'close' && (s.phase !== 'open' || !quiet(s))) own.ask = '';
      if (own.ask !== 'annul' && own.ask !== 'cancel' && own.ask !== 'close') return null;
      const annul = own.ask === 'annul', close = own.ask === 'close', round = s.round - 1;
      const words = close ? 'Close round ' + s.round : annul ? 'Annul round ' + round : 'Cancel the auction';
      return h('form', { class: 'hr-host-confirm', key: 'confirm-' + own.ask, role: 'group', 'aria-label': words, on: { submit: function (event) { event.preventDefault(); act(own.ask, close ? { round: s.round } : { reason: own.reason.trim() }); } } },
        h('p', null, close ? 'Nobody has bid in this round. Closed now, it ends the auction.' : annul
          ? (s.phase === 'closed' ? 'The auction is open again: all' : 'All') + ' bids of round ' + round + (s.phase === 'closed' ? '' : ' and of the round that is open') + ' are void, and round ' + round + ' begins again. It stays in the log.'
          : 'Nothing is sold, and the auction cannot be opened again. The log stays.'),
        !close && h('label', { class: 'hr-field' }, h('span', { class: 'hr-label' }, 'Reason, told to everybody'),
          h('input', { class: 'hr-input', maxlength: 200, value: own.reason, on: { input: function (event) { own.reason = event.target.value; } } })),
        h('div', { class: 'hr-host-row' }, h('button', { type: 'submit', class: 'hr-button hr-button-primary', disabled: Boolean(own.busy) }, words),
          press('Keep it', 'keep', null, { click: function () { own.ask = ''; redraw(); } })));
    }
    // Certificate, deliverability, log --------------------------------------------------------------------------------
    function entry(one) { return h('li', { key: one.number }, h('time', null, d.clockTime(one.at)), h('span', null, one.words)); }
    function runs(listed) { // what happened at one moment in one way is one line of the log: sixty bots that bid
      const found = [];
      listed.forEach(function (one) {
        const last = found.length ? found[found.length - 1] : null;
        if (last && last[0].kind === one.kind && last[0].at === one.at && last[0].actor === one.actor) last.push(one); else found.push([one]);
      });
      return found;
    }
    function log(s) {
      const listed = (s.host.log || []).slice().sort(function (a, b) { return b.number - a.number; });
      return [
        headroom.hostJudge.certificate(s, tools), headroom.hostJudge.deliverability(s, tools),
        h('section', { class: 'hr-section', key: 'log' },
          h('h3', { class: 'hr-section-title' }, 'Log'),
          h('ol', { class: 'hr-host-log' }, runs(listed).map(function (run) {
            const many = run.length > ALIKE && RUNS[run[0].kind];
            if (!many) return run.map(entry);
            return h('li', { key: run[run.length - 1].number }, h('time', null, d.clockTime(run[0].at)),
              h('details', null, h('summary', null, d.number(run.length) + (run.indexOf(listed[listed.length - 1]) >= 0 && listed[listed.length - 1].number > 1 ? ' or more ' : ' ') + many), h('ul', null, run.map(function (one) { return h('li', { key: one.number }, one.words); }))));
          })),
          !listed.length && h('p', { class: 'hr-muted' }, 'Nothing has happened yet.')),
      ];
    }
    function tabs(s) {
      const waiting = (s.host.waiting || []).length;
      return PANES.map(function (pane) {
        return h('button', { type: 'button', class: 'hr-tab', key: pane[0], 'aria-pressed': String(own.pane === pane[0]), on: { click: function () { own.pane = pane[0]; redraw(); } } },
          pane[1] + (pane[0] === 'people' && waiting ? ' (' + waiting + ')' : ''));
      });
    }
    function tell(s) { // once, for who cannot see it
      const now = s.phase + s.round + s.practice;
      if (seen !== null && seen !== now) {
        if (s.phase === 'open') room.say('Round ' + s.round + ' is open');
        else room.say((PHASES[s.phase] || s.phase) + (s.ended_because ? ': ' + s.ended_because : ''));
      }
      seen = now;
    }
    function refused() {
      const told = room.refusal || {};
      const words = told.status === 404 ? 'There is no such auction, or it is not yours.' : told.status === 403 ? 'This auction is run by somebody else.' : told.error || 'The server refused this.';
      d.draw(parts.head, h('div', { class: 'hr-state hr-state-failed', role: 'alert' }, h('div', null,
        h('p', { class: 'hr-state-title' }, words), h('div', { class: 'hr-state-message' }, told.detail || ''),
        h('div', { class: 'hr-state-action' }, h('a', { class: 'hr-button', href: '/auction' }, 'To the auctions')))));
      ['tabs', 'lots', 'round', 'people', 'log'].forEach(function (name) { d.draw(parts[name], null); });
    }

    return {
      draw: function (s) {
        if (!s || !s.host || room.connection === 'refused') { refused(); return; }
        root.setAttribute('data-pane', own.pane);
        root.setAttribute('data-phase', s.practice ? 'practice' : s.phase);
        d.draw(parts.head, head(s));
        d.draw(parts.tabs, tabs(s));
        d.draw(parts.lots, headroom.hostLots.pane(s, tools));
        d.draw(parts.round, round(s));
        d.draw(parts.people, headroom.hostPeople.pane(s, tools));
        d.draw(parts.log, log(s));
        tell(s);
        playOn(s);
        this.tick();
      },
      tick: function () {
        const face = parts.round.querySelector('.hr-host-clock'), bar = parts.round.querySelector('.hr-host-time > span');
        if (!face || !room.snapshot) return;
        const left = room.left(), words = clockWords();
        if (face.textContent !== words) face.textContent = words;
        if (room.snapshot.phase === 'paused') return;
        face.toggleAttribute('data-soon', left !== null && left < 10);
        if (bar) bar.style.width = left === null ? '0' : Math.max(0, Math.min(100, 100 * left / (room.snapshot.round_s || 60))) + '%';
      },
    };
  });
})();
