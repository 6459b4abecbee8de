// The Feeder page in the browser: what of its day is its own.
(function () {
  'use strict';
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const KEEP = function () { return window.dash_clientside.no_update; };
  const FURTHER_MS = 6000;
  const day = window.headroom.day('feeder', {
    paceMs: 700,
    calmPaceMs: 1400,
    view: function (of, tab) {
      return {
        case: of.case === 'off' ? '' : of.case, hour: of.hour, layer: of.layer === 'voltage' ? '' : of.layer,
        tab: tab === 'buses' ? '' : tab, sel: of.selection,
      };
    },
  });

  clientside.feederPage = {
    showTab: day.showTab,
    address: day.address,
    // Told when a job ends, and now and then while it runs: the case that is known so far is drawn.
    jobs: window.headroom.jobs.follow('feeder-job-ended', FURTHER_MS),
    // A chart that was hidden had no size: it takes its own once it shows.
    unfold: function (hidden) {
      if (!hidden) window.setTimeout(function () { window.dispatchEvent(new Event('resize')); }, 60);
      return KEEP();
    },
    paint: function (drawing, hour, layer, wanted, selection, theme) {
      const now = Number(hour) || 0;
      day.tell(now);
      if (clientside.feeder && clientside.feeder.paint) clientside.feeder.paint(drawing, now, layer, wanted, selection, theme);
      return KEEP();
    },
    at: function (hour, layer, wanted, selection, found) {
      const now = Number(hour) || 0;
      day.fit(found);
      day.tell(now);
      if (found) day.look({ hour: now, of: { case: wanted, layer: layer, selection: selection || '', key: found.key } });
      return KEEP();
    },
  };
})();
