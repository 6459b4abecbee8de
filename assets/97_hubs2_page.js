// The Hubs page in the browser: what of its day is its own.
(function () {
  'use strict';
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const KEEP = function () { return window.dash_clientside.no_update; };
  const FURTHER_MS = 2000;
  const day = window.headroom.day('hubs', {
    paceMs: 800,
    calmPaceMs: 1500,
    view: function (of, tab) {
      return {
        show: of.show === 'both' ? '' : of.show, outcome: of.outcome === 'quick-quadratic' ? '' : of.outcome, hour: of.hour,
        tab: tab === 'prices' ? '' : tab, sel: of.selection,
      };
    },
  });

  clientside.hubsPage = {
    showTab: day.showTab,
    address: day.address,
    // Told when a job ends, and now and then while it runs: what is known so far is drawn.
    jobs: window.headroom.jobs.follow('hubs-job-ended', FURTHER_MS),
    fleet: function (value) {
      const own = String(value || '').startsWith('file:'); // has the hours of its file: the word is not in the sentence
      document.querySelectorAll('.hr-hubs-hours').forEach(function (words) { words.hidden = own; });
      document.querySelectorAll('.hr-hubs-file-hours').forEach(function (words) { words.hidden = !own; });
      return value !== 'fleet';
    },
    paint: function (drawing, hour, wanted, outcome, selection, theme) {
      const now = Number(hour) || 0;
      day.tell(now);
      if (window.headroomHubs) window.headroomHubs.paint(drawing, now, wanted, outcome, selection, theme);
      return KEEP();
    },
    at: function (hour, wanted, outcome, selection, found, start) {
      if (!found) return KEEP();
      const now = day.fit(found, start);
      day.tell(now);
      day.look({ hour: now, of: { show: wanted, outcome: outcome, selection: selection || '', key: found.key } });
      return KEEP();
    },
  };

  document.addEventListener('click', function (event) {
    const chosen = event.target.closest && event.target.closest('[data-hubs-select]');
    if (chosen) window.headroom.select('hubs', chosen.getAttribute('data-hubs-select') || null);
    const hour = window.headroomHubs ? window.headroomHubs.hourAt(event) : null;
    if (hour !== null) day.goTo(hour);
    const rows = event.target.closest && event.target.closest('.hr-hubs-live-rows > summary');
    if (rows) opened = !rows.parentElement.open; // as it will be
  });

  // While a search runs its rows are made anew now and then: they stay open once a reader opened them.
  let opened = false;
  new MutationObserver(function (records) {
    if (!opened || !records.some(function (record) { return record.addedNodes.length; })) return;
    const rows = document.querySelector('.hr-hubs-live-rows');
    if (rows && !rows.open) rows.open = true;
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
