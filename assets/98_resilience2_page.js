// The Resilience page in the browser: what of its day is its own.
(function () {
  'use strict';
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const KEEP = function () { return window.dash_clientside.no_update; };
  const FURTHER_MS = 2000, CHOSEN = 'DRO + CVaR';
  const day = window.headroom.day('resilience', {
    paceMs: 420,
    calmPaceMs: 1500,
    view: function (of, tab) {
      return {
        method: of.method === CHOSEN ? '' : of.method, shock: of.shock || '', hour: of.hour,
        tab: tab === 'modules' ? '' : tab, sel: of.selection, on: of.on || '',
      };
    },
  });

  clientside.resiliencePage = {
    showTab: day.showTab,
    address: day.address,
    // Told when a job ends, and now and then while it runs: what is known so far is drawn.
    jobs: window.headroom.jobs.follow('resilience-job-ended', FURTHER_MS),
    paint: function (drawing, hour, method, shock, on, selection, theme) {
      const now = Number(hour) || 0;
      day.tell(now);
      if (window.headroomResilience) window.headroomResilience.paint(drawing, now, method, selection, theme);
      return KEEP();
    },
    film: function (film) {
      if (window.headroomResilience) window.headroomResilience.film(film);
      return KEEP();
    },
    at: function (hour, method, shock, on, selection, found, start) {
      if (!found) return KEEP();
      const now = day.fit(found, start);
      day.tell(now);
      day.look({ hour: now, of: { method: method, shock: Number(shock) || 0, on: on || '', selection: selection || '', key: found.key } });
      return KEEP();
    },
  };

  document.addEventListener('click', function (event) {
    const near = function (what) { return event.target.closest && event.target.closest(what); };
    const chosen = near('[data-resilience-select]');
    if (chosen) {
      const element = chosen.getAttribute('data-resilience-select') || '';
      const shock = element.startsWith('shock:') ? Number(element.slice(6)) : null;
      if (element.startsWith('on:')) window.headroom.setProps('resilience-on', { value: element.slice(3) });
      else if (shock !== null) window.headroom.setProps('resilience-shock', { value: shock || null });
      else window.headroom.select('resilience', element || null);
    }
    const hour = window.headroomResilience ? window.headroomResilience.hourAt(event) : null;
    if (hour !== null) day.goTo(hour);
  });
})();
