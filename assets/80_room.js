// Follows one auction: asks the server about once a second, keeps the server's time, tells when the connection is
// lost, and sends what a seat does so that a lost answer never makes it twice. Pages draw what it learns.
//
// A page is an element <div data-room="KIND" data-auction="ID" data-as="bidder|public|host">. A script says once how
// such a page is drawn: headroom.room.page(KIND, function (root, room) { return {draw, tick, gone}; }).
//   draw(snapshot, room)  after each change; tick(room) four times a second; gone() when the page is left.
// Within it, [data-room-connection] tells the connection, [data-room-live] is read aloud (room.say).
(function () {
  'use strict';
  const headroom = window.headroom;
  const STEP_MS = 1000, HIDDEN_MS = 3000, TICK_MS = 250;
  const PATIENCE_MS = 8000; // an answer that takes longer is given up
  const LOST_MS = 4000; // without an answer for so long, the reader is told
  const JUMP_MS = 1500; // two clocks of this machine differ by more: it slept, or its clock was set
  const CLOSES_MS = 550, SPREAD_MS = 350; // after the deadline: bids on their way still get in
  const SEND_FOR_MS = 30000; // how long an action is sent again when no answer comes
  const kinds = {};
  const rooms = [];

  // The server's time. Each answer tells it; the one that travelled fastest is believed until it is half a minute old.
  function Clock() {
    let best = null;
    return {
      hear: function (server, sent, got) {
        const way = got - sent;
        if (!isFinite(server) || (best && way > best.way * 1.5 + 20 && got - best.got < 30000)) return;
        best = { offset: server * 1000 - (sent + got) / 2, way: way, got: got, wall: Date.now() - performance.now() };
      },
      now: function () { // seconds, or null while it is not known
        if (best && Math.abs(Date.now() - performance.now() - best.wall) > JUMP_MS) best = null;
        return best ? (performance.now() + best.offset) / 1000 : null;
      },
    };
  }

  function newRequest() { // crypto.randomUUID is missing on a plain http address, which a classroom has
    const parts = new Uint8Array(16);
    window.crypto.getRandomValues(parts);
    return Array.from(parts, function (part) { return part.toString(16).padStart(2, '0'); }).join('');
  }
  function wait(ms) { return new Promise(function (done) { window.setTimeout(done, ms); }); }
  function call(address, options) { // {status, body, headers}; status 0 when no answer came
    const stop = new AbortController();
    const timer = window.setTimeout(function () { stop.abort(); }, PATIENCE_MS);
    return window.fetch(address, Object.assign({ signal: stop.signal, cache: 'no-store', credentials: 'same-origin' }, options)).then(function (answer) {
      const told = { status: answer.status, headers: answer.headers, body: null };
      if (answer.status === 304 || answer.status === 204) return told;
      return answer.json().then(function (body) { told.body = body; return told; }, function () { return told; });
    }).catch(function () { return { status: 0, headers: null, body: null }; }).finally(function () { window.clearTimeout(timer); });
  }
  function post(address, body) {
    return call(address, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  }

  function Room(root) {
    const clock = Clock();
    const room = {
      root: root, auction: root.dataset.auction || '', as: root.dataset.as || 'public',
      snapshot: null, // the last one
      connection: 'first', // then "ok", "lost" or "refused"
      refusal: null, // {status, code, error, detail} when refused
      now: clock.now, // the server's time in seconds, null while unknown
    };
    let stem = '/api/auctions/' + encodeURIComponent(room.auction);
    let timer = null, asking = false, again = false, stopped = false, tag = null, misses = 0, heard = performance.now(), view = null, said = '';

    room.left = function () { // seconds until the round's deadline, null without a clock
      const at = clock.now();
      if (!room.snapshot || !room.snapshot.deadline || at === null || room.snapshot.phase !== 'open') return null;
      return room.snapshot.deadline - at;
    };
    function hear(answer, sent) {
      const got = performance.now();
      const told = answer.headers && answer.headers.get('X-Server-Time');
      const server = told ? Number(told) : answer.body && typeof answer.body.now === 'number' ? answer.body.now : NaN;
      clock.hear(server, sent, got);
      if (answer.status > 0 && answer.status < 500 && answer.status !== 429) { heard = got; misses = 0; } else misses += 1;
    }
    function ask() {
      if (stopped) return;
      if (!root.isConnected) { room.stop(); return; }
      if (asking) { again = true; return; }
      window.clearTimeout(timer);
      asking = true;
      const sent = performance.now();
      // Without the time, the whole snapshot is asked for: it tells it.
      const headers = tag && clock.now() !== null ? { 'If-None-Match': tag } : {};
      call(stem + '/snapshot?as=' + room.as, { headers: headers }).then(function (answer) {
        asking = false;
        if (stopped) return;
        hear(answer, sent);
        if (answer.status === 200 && answer.body) {
          tag = answer.headers.get('ETag');
          room.connection = 'ok';
          room.refusal = null;
          const first = !room.snapshot;
          room.snapshot = answer.body;
          if (first) root.setAttribute('data-drawn', '');
          view.draw(room.snapshot, room);
        } else if (answer.status === 304) room.connection = 'ok';
        else if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) refuse(answer);
        tick();
        plan(answer);
      });
    }
    function refuse(answer) {
      const before = room.refusal && room.refusal.code + room.refusal.detail;
      room.connection = 'refused';
      tag = null; // what is drawn now is no snapshot
      room.refusal = Object.assign({ status: answer.status, code: '', error: '', detail: '' }, answer.body);
      if (before !== room.refusal.code + room.refusal.detail) view.draw(room.snapshot, room);
    }
    function plan(answer) {
      if (stopped) return;
      let pause = (document.hidden ? HIDDEN_MS : STEP_MS) * (0.85 + 0.3 * Math.random());
      const left = room.left();
      // The result of a round is asked for soon after the server closes it, not by everybody at once.
      const due = left === null ? -1 : 1000 * left + CLOSES_MS;
      if (due > 0 && due < pause) pause = due + SPREAD_MS * Math.random();
      if (misses) pause = Math.min(8000, 500 * Math.pow(2, misses)) * (0.75 + 0.5 * Math.random());
      if (answer.status === 429) pause = Math.max(pause, 1000 * Number(answer.headers.get('Retry-After') || 3));
      if (room.connection === 'refused') pause = Math.max(pause, 5000);
      if (again) { again = false; pause = 0; }
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, pause);
    }
    function tick() {
      if (stopped) return;
      const quiet = performance.now() - heard;
      const lost = (misses > 0 && quiet > LOST_MS) || (room.connection === 'first' && quiet > LOST_MS);
      if (lost && room.connection !== 'refused') room.connection = 'lost';
      const holder = root.querySelector('[data-room-connection]');
      const words = room.connection === 'lost'
        ? (room.snapshot ? 'No connection for ' + headroom.pane.span(quiet / 1000) + '. What was confirmed is kept; trying again.' : 'The server does not answer. Trying again.')
        : '';
      if (holder && holder.textContent !== words) holder.textContent = words;
      root.toggleAttribute('data-lost', room.connection === 'lost');
      if (room.snapshot && view.tick) view.tick(room);
    }

    room.wake = ask; // ask now
    room.redraw = function () { if (!stopped && (room.snapshot || room.refusal)) view.draw(room.snapshot, room); };
    room.say = function (text) { // read aloud once
      const holder = root.querySelector('[data-room-live]');
      if (holder) { said = said === text ? text + '\u00a0' : text; holder.textContent = said; }
    };
    room.get = function (route) { return call(stem + '/' + route, {}); };
    // Send once, however often it takes: the server knows a request that it has done. Resolves to {status, body};
    // status 0 when no answer came in half a minute.
    room.post = function (route, body, repeat) {
      const whole = repeat === false ? body : Object.assign({ request: newRequest() }, body);
      const begun = performance.now();
      let tries = 0;
      return (function once() {
        const sent = performance.now();
        return post(stem + '/' + route, whole).then(function (answer) {
          hear(answer, sent);
          tries += 1;
          const unsure = answer.status === 0 || answer.status >= 502 || answer.status === 429;
          if (!unsure || repeat === false || stopped || performance.now() - begun > SEND_FOR_MS) { ask(); return answer; }
          const told = answer.status === 429 ? 1000 * Number(answer.headers.get('Retry-After') || 1) : 0;
          return wait(Math.max(told, Math.min(4000, 400 * Math.pow(2, tries - 1))) * (0.8 + 0.4 * Math.random())).then(once);
        });
      })();
    };
    room.stop = function () {
      if (stopped) return;
      stopped = true;
      window.clearTimeout(timer);
      window.clearInterval(ticking);
      rooms.splice(rooms.indexOf(room), 1);
      if (view.gone) view.gone();
    };

    view = kinds[root.dataset.room](root, room);
    const ticking = window.setInterval(tick, TICK_MS);
    rooms.push(room);
    if (room.as !== 'join') enter();
    return room;

    // A personal link, or one to watch: its key stands behind the #, which no server's log and no other site sees.
    function enter() {
      const key = new URLSearchParams(window.location.hash.slice(1)).get('key');
      if (!key && room.auction) { ask(); return; }
      if (!key) { refuse({ status: 404, body: { error: 'No auction is named', detail: 'The address of this page names no auction. Ask the host for the link.', code: 'unknown' } }); return; }
      post('/api/auctions/join', { key: key }).then(function (answer) {
        if (stopped) return;
        if (answer.body && answer.body.auction) {
          room.auction = answer.body.auction;
          stem = '/api/auctions/' + encodeURIComponent(room.auction);
          window.history.replaceState(window.history.state, '', window.location.pathname + '?auction=' + encodeURIComponent(room.auction));
          ask();
        } else if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) refuse(answer);
        else timer = window.setTimeout(enter, 2000);
      });
    }
  }

  // Pages come and go without a load; each is followed while it stands.
  function look() {
    document.querySelectorAll('[data-room]:not([data-followed])').forEach(function (root) {
      if (!kinds[root.dataset.room]) return;
      root.setAttribute('data-followed', '');
      Room(root);
    });
    rooms.slice().forEach(function (room) { if (!room.root.isConnected) room.stop(); });
  }
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
  function wakeAll() { rooms.forEach(function (room) { if (room.auction) room.wake(); }); }
  document.addEventListener('visibilitychange', function () { if (!document.hidden) wakeAll(); });
  window.addEventListener('online', wakeAll);
  window.addEventListener('pageshow', function (event) { if (event.persisted) wakeAll(); });

  headroom.room = {
    page: function (kind, make) { kinds[kind] = make; look(); },
    send: post, // for what is not about one auction: a code to join by
    open: rooms, // of this window
  };
})();
