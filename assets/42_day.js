// A page of a day: its hour and play, its tabs, what is looked at once it rests, and its address. Pages that have one say
// what is their own: window.headroom.day(page, {paceMs, calmPaceMs, view}).
(function () {
  'use strict';
  const KEEP = function () { return window.dash_clientside.no_update; };
  const REST_MS = 220;

  function text(value) { return value === null || value === undefined ? '' : String(value); }

  window.headroom.day = function (page, own) {
    let labels = [], playing = null, resting = null, last = null, seen = {}, begun = null; // seen: by tab

    function part(name) { return document.getElementById(page + '-' + name); }
    function tellServer(name, props) { window.headroom.setProps(page + '-' + name, props); }
    function slider() { return part('hour'); }
    function hourNow() { const box = slider(); return box ? Number(box.value) || 0 : 0; }
    function setHour(hour) { tellServer('hour', { value: hour }); }

    // The hour beside the slider, and its end: those of the answer that is drawn.
    function tell(hour) {
      const shown = part('hour-shown'), box = slider();
      const at = Math.max(0, Math.min(hour, labels.length - 1));
      if (shown && labels.length) shown.textContent = labels[at];
      if (box && labels.length) box.setAttribute('aria-valuetext', labels[at]);
    }
    // Returns the hour that the slider has then. A page that opens without one of its own may name where to begin.
    function fit(found, start) {
      if (!found || !found.labels) return hourNow();
      const box = slider(), end = found.labels.length - 1;
      labels = found.labels;
      if (!box) return hourNow();
      const first = box.dataset.begun === undefined;
      box.dataset.begun = 'yes';
      const named = first && start && text(start.hour) === '' && found.worst !== undefined;
      const hour = named ? found.worst : Math.min(hourNow(), end);
      if (Number(box.max) !== end || hour !== hourNow()) tellServer('hour', { max: end, value: hour });
      return hour;
    }

    // Play -------------------------------------------------------------------------------------------------
    function show(button) {
      const on = playing !== null, words = on ? 'Pause' : 'Play the day';
      button.setAttribute('aria-pressed', on ? 'true' : 'false');
      button.setAttribute('aria-label', words);
      button.title = words;
      button.classList.toggle('hr-feeder-playing', on);
    }
    function soon() { return window.setTimeout(step, window.headroom.calm() ? own.calmPaceMs : own.paceMs); }
    function stop() {
      window.clearTimeout(playing);
      playing = null;
      const button = part('play');
      if (button) show(button);
      rest();
    }
    function step() {
      const box = slider();
      if (!box || hourNow() >= Number(box.max)) { stop(); return; }
      setHour(hourNow() + 1);
      playing = soon();
    }
    function play() {
      if (playing !== null) { stop(); return; }
      const box = slider(), button = part('play');
      if (!box || !button) return;
      if (hourNow() >= Number(box.max)) setHour(0);
      playing = soon();
      show(button);
    }
    function goTo(hour) {
      if (playing !== null) stop();
      setHour(hour);
    }

    // On a narrow screen the tabs are a strip that scrolls: the one that shows is in sight.
    function inSight(tab) {
      const box = document.querySelector('#' + page + '-tab input[value="' + CSS.escape(text(tab)) + '"]');
      const strip = box && box.closest('.hr-feeder-tools > *'), one = box && box.parentElement;
      if (!strip || strip.scrollWidth <= strip.clientWidth) return;
      strip.scrollLeft = one.offsetLeft - (strip.clientWidth - one.offsetWidth) / 2;
    }

    // What is looked at goes to the server once it rests: tables and charts follow then, the diagram at once.
    function rest() {
      window.clearTimeout(resting);
      if (playing !== null || !last) return;
      resting = window.setTimeout(function () { tellServer('at', { data: last }); }, REST_MS);
    }
    // Another answer, or a page that has just come, is told without a rest.
    function look(next) {
      const at = Object.assign({ hour: Math.min(next.hour, labels.length - 1) }, next.of);
      const fresh = !last || last.key !== at.key || begun !== part('tables');
      last = at;
      if (!fresh) { rest(); return; }
      window.clearTimeout(resting);
      tellServer('at', { data: at });
    }

    // The tab that shows is told what is looked at, and no other.
    function showTab(tab, at, theme, id) {
      const holder = document.getElementById(id);
      if (holder && holder.dataset.tab !== tab) {
        holder.dataset.tab = tab;
        Array.from(holder.children).forEach(function (body) { body.hidden = body.dataset.tabBody !== tab; });
        window.dispatchEvent(new Event('resize'));
      }
      inSight(tab);
      if (!at) return KEEP();
      const next = Object.assign({ theme: theme }, at), told = JSON.stringify(next);
      if (begun !== holder) { seen = {}; begun = holder; }
      if (seen[tab] !== told) { seen[tab] = told; tellServer('seen-' + tab, { data: next }); }
      return KEEP();
    }

    // The address bar holds question and view; it is replaced without a new page.
    function address(query, at, tab, study) {
      if (query === null || query === undefined) return [KEEP(), KEEP()];
      const parts = [], view = own.view(at || {}, tab), path = '/' + page;
      if (study) parts.push('study=' + encodeURIComponent(study));
      if (query) parts.push(query);
      Object.keys(view).forEach(function (name) {
        const value = text(view[name]);
        if (value) parts.push(name + '=' + encodeURIComponent(value));
      });
      const search = parts.length ? '?' + parts.join('&') : '';
      if (window.location.pathname === path && window.location.search !== search) {
        window.history.replaceState(window.history.state, '', path + search);
      }
      return [search, window.location.origin + path + search];
    }

    // The strip of tabs may have had no size until now: its pane was hidden.
    window.addEventListener('resize', function () {
      const holder = part('tables');
      if (holder && holder.dataset.tab) inSight(holder.dataset.tab);
    });
    document.addEventListener('click', function (event) {
      const near = function (what) { return event.target.closest && event.target.closest(what); };
      if (near('#' + page + '-play')) play();
      const taken = near('[data-' + page + '-edit]');
      if (taken) {
        taken.disabled = true;
        const value = taken.getAttribute('data-' + page + '-edit');
        tellServer('edits-pressed', { data: { value: value, at: Date.now() } });
      }
    });
    document.addEventListener('input', function (event) {
      if (event.target.id === page + '-hour' && playing !== null) stop();
    });
    // Comma and full stop: an hour back and forth; p: play. Not while something is typed.
    document.addEventListener('keydown', function (event) {
      const target = event.target, box = slider();
      if (!box || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest && target.closest('input, textarea, select, [contenteditable], .ag-root')) return;
      if (event.key === 'p') { play(); return; }
      const move = event.key === ',' ? -1 : event.key === '.' ? 1 : 0;
      if (move) goTo(Math.max(0, Math.min(Number(box.max), hourNow() + move)));
    });
    return { tell: tell, fit: fit, goTo: goTo, look: look, showTab: showTab, address: address };
  };
})();
