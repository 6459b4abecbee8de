// Panels of the Capacity page that wait for jobs of their own: each is told once when its job has ended.
(function () {
  'use strict';
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const waited = {}; // by job: seen (one that then leaves the list has ended), told

  function active(job) { return job.state === 'queued' || job.state === 'running'; }

  clientside.capacityAside = {
    // What the map paints with redispatch stands first in the inspector while it is looked at.
    first: function (layer, panel) {
      const place = document.getElementById(panel + '-place');
      if (place) place.dataset.first = layer === 'redispatch' ? 'yes' : 'no';
      return window.dash_clientside.no_update;
    },
    ended: function (jobs, followed, panel) {
      if (followed && waited[followed] !== 'told') {
        const job = (jobs || []).find(function (entry) { return entry.id === followed; });
        if (job && active(job)) {
          waited[followed] = 'seen';
        } else if (job || waited[followed] === 'seen') {
          waited[followed] = 'told';
          window.headroom.setProps(panel + '-ended', { data: { id: followed, at: Date.now() } });
        }
      }
      return window.dash_clientside.no_update;
    },
  };
})();
