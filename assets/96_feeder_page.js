// The Feeder page in the browser: its tabs, the hour and its play, what is looked at once it rests, the address, jobs.
(function () {
  'use strict';
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const KEEP = function () { return window.dash_clientside.no_update; };
  const STEP_MS = 700, CALM_STEP_MS = 1400, REST_MS = 220, FURTHER_MS = 6000;
  let labels = [], playing = null, resting = null, last = null, seen = {}; // by tab

  function text(value) { return value === null || value === undefined ? '' : String(value); }
  function slider() { return document.getElementById('feeder-hour'); }
  function hourNow() { const box = slider(); return box ? Number(box.value) || 0 : 0; }
  function setHour(hour) { window.headroom.setProps('feeder-hour', { value: hour }); }

  // The hour beside the slider, and its end: those of the answer that is drawn.
  function tell(hour) {
    const shown = document.getElementById('feeder-hour-shown'), box = slider();
    const at = Math.max(0, Math.min(hour, labels.length - 1));
    if (shown && labels.length) shown.textContent = labels[at];
    if (box && labels.length) box.setAttribute('aria-valuetext', labels[at]);
  }
  function fit(found) {
    if (!found || !found.labels) return;
    const before = labels.join();
    labels = found.labels;
    const box = slider(), end = labels.length - 1;
    if (box && (before !== labels.join() || Number(box.max) !== end)) {
      window.headroom.setProps('feeder-hour', { max: end, value: Math.min(hourNow(), end) });
    }
  }

  // Play ---------------------------------------------------------------------------------------------------
  function show(button) {
    const on = playing !== null, words = on ? 'Pause' : 'Play the day';
    button.setAttribute('aria-pressed', on ? 'true' : 'false');
    button.setAttribute('aria-label', words);
    button.title = words;
    button.classList.toggle('hr-feeder-playing', on);
  }
  function stop() {
    window.clearTimeout(playing);
    playing = null;
    const button = document.getElementById('feeder-play');
    if (button) show(button);
    rest();
  }
  function step() {
    const box = slider();
    if (!box || hourNow() >= Number(box.max)) { stop(); return; }
    setHour(hourNow() + 1);
    playing = window.setTimeout(step, window.headroom.calm() ? CALM_STEP_MS : STEP_MS);
  }
  function play() {
    if (playing !== null) { stop(); return; }
    const box = slider(), button = document.getElementById('feeder-play');
    if (!box || !button) return;
    if (hourNow() >= Number(box.max)) setHour(0);
    playing = window.setTimeout(step, window.headroom.calm() ? CALM_STEP_MS : STEP_MS);
    show(button);
  }

  // On a narrow screen the tabs are a strip that scrolls: the one that shows is in sight.
  function inSight(tab) {
    const box = document.querySelector('#feeder-tab input[value="' + CSS.escape(text(tab)) + '"]');
    const strip = box && box.closest('.hr-feeder-tools > *'), one = box && box.parentElement;
    if (!strip || strip.scrollWidth <= strip.clientWidth) return;
    strip.scrollLeft = one.offsetLeft - (strip.clientWidth - one.offsetWidth) / 2;
  }

  // What is looked at goes to the server once it rests: tables and charts follow then, the diagram at once.
  function rest() {
    window.clearTimeout(resting);
    if (playing !== null || !last) return;
    resting = window.setTimeout(function () {
      window.headroom.setProps('feeder-at', { data: last });
    }, REST_MS);
  }

  clientside.feederPage = {
    // The tab that shows is told what is looked at, and no other.
    showTab: function (tab, at, theme, id) {
      const holder = document.getElementById(id);
      if (holder && holder.dataset.tab !== tab) {
        holder.dataset.tab = tab;
        Array.from(holder.children).forEach(function (body) { body.hidden = body.dataset.tabBody !== tab; });
        window.dispatchEvent(new Event('resize'));
      }
      inSight(tab);
      if (!at) return KEEP();
      const next = Object.assign({ theme: theme }, at), told = JSON.stringify(next);
      if (!holder || holder.feederSeen === undefined) seen = {};
      if (holder) holder.feederSeen = true;
      if (seen[tab] !== told) { seen[tab] = told; window.headroom.setProps('feeder-seen-' + tab, { data: next }); }
      return KEEP();
    },
    // A chart that was hidden had no size: it takes its own once it shows.
    unfold: function (hidden) {
      if (!hidden) window.setTimeout(function () { window.dispatchEvent(new Event('resize')); }, 60);
      return KEEP();
    },
    paint: function (drawing, hour, layer, wanted, selection, theme) {
      tell(Number(hour) || 0);
      if (clientside.feeder && clientside.feeder.paint) clientside.feeder.paint(drawing, Number(hour) || 0, layer, wanted, selection, theme);
      return KEEP();
    },
    at: function (hour, wanted, layer, selection, found) {
      fit(found);
      tell(Number(hour) || 0);
      if (!found) return KEEP();
      const next = { case: wanted, hour: Math.min(Number(hour) || 0, labels.length - 1), layer: layer, selection: selection || '', key: found.key };
      if (last && last.key !== next.key) { last = next; window.clearTimeout(resting); window.headroom.setProps('feeder-at', { data: next }); return KEEP(); }
      last = next;
      rest();
      return KEEP();
    },
    // Told when a job ends, and now and then while it runs: the case that is known so far is drawn.
    jobs: window.headroom.jobs.follow('feeder-job-ended', FURTHER_MS),
    // The address bar holds question and view; it is replaced without a new page.
    address: function (query, at, tab, study) {
      if (query === null || query === undefined) return [KEEP(), KEEP()];
      const parts = [], of = at || {};
      if (study) parts.push('study=' + encodeURIComponent(study));
      if (query) parts.push(query);
      const view = {
        case: of.case === 'off' ? '' : of.case, hour: of.hour, layer: of.layer === 'voltage' ? '' : of.layer,
        tab: tab === 'buses' ? '' : tab, sel: of.selection,
      };
      Object.keys(view).forEach(function (name) {
        const value = text(view[name]);
        if (value) parts.push(name + '=' + encodeURIComponent(value));
      });
      const search = parts.length ? '?' + parts.join('&') : '';
      if (window.location.pathname === '/feeder' && window.location.search !== search) {
        window.history.replaceState(window.history.state, '', window.location.pathname + search);
      }
      return [search, window.location.origin + '/feeder' + search];
    },
  };

  document.addEventListener('click', function (event) {
    const near = function (what) { return event.target.closest && event.target.closest(what); };
    if (near('#feeder-play')) play();
    const taken = near('[data-feeder-edit]');
    if (taken) {
      taken.disabled = true;
      window.headroom.setProps('feeder-edits-pressed', { data: { value: taken.getAttribute('data-feeder-edit'), at: Date.now() } });
    }
  });
  document.addEventListener('input', function (event) {
    if (event.target.id === 'feeder-hour' && playing !== null) stop();
  });
  // Comma and full stop: an hour back and forth; p: play. Not while something is typed.
  document.addEventListener('keydown', function (event) {
    const target = event.target, box = slider();
    if (!box || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest && target.closest('input, textarea, select, [contenteditable], .ag-root')) return;
    if (event.key === 'p') { play(); return; }
    const move = event.key === ',' ? -1 : event.key === '.' ? 1 : 0;
    if (!move) return;
    if (playing !== null) stop();
    setHour(Math.max(0, Math.min(Number(box.max), hourNow() + move)));
  });
})();
