// The Capacity page in the browser: which table shows, the address that restores the view, the end of its job.
(function () {
  'use strict';
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const KEEP = function () { return window.dash_clientside.no_update; };
  let waited = null; // the job that was last seen running, so that one that left the list counts as ended

  function active(job) { return job.state === 'queued' || job.state === 'running'; }
  function text(value) { return value === null || value === undefined ? '' : String(value); }

  clientside.capacity = {
    showTab: function (tab, id) {
      [document.getElementById(id), document.getElementById(id + '-tools')].forEach(function (holder) {
        if (holder) holder.dataset.tab = tab;
      });
      return KEEP();
    },
    showKind: function (keep, id) {
      const holder = document.getElementById(id);
      if (holder) holder.dataset.keep = text(keep);
      return KEEP();
    },
    // The same demand at each site: done here, so that the answer is one request away. The server judges the number.
    sameDemand: function (mw, sites) {
      const none = mw === null || mw === undefined || mw === '' || !sites;
      if (none || sites.mw.every(function (asked) { return asked === mw; })) return [KEEP(), KEEP()];
      const lines = sites.bus.map(function (bus) { return bus + ' ' + mw; });
      return [{ bus: sites.bus, mw: sites.bus.map(function () { return mw; }) }, lines.join('\n')];
    },
    // The box for other risk levels stands in the sentence while it is chosen.
    showLevels: function (epsilon) { return epsilon !== 'other'; },
    // A row of "What binds" or "Products" selects the branch or the bus it is about.
    rowToSelection: function (rows) {
      if (rows && rows.length && rows[0].select) window.headroom.select('capacity', rows[0].select);
      return KEEP();
    },
    // Written past the graph of callbacks: an output here that the question waits for would make a circle, and a
    // circle is dropped when words change faster than answers come.
    jobEnded: function (jobs, id) {
      if (!id) { waited = null; return KEEP(); }
      const job = (jobs || []).find(function (entry) { return entry.id === id; });
      if (job && active(job)) { waited = id; return KEEP(); }
      if (job ? waited !== 'ended ' + id : waited === id) {
        waited = 'ended ' + id;
        window.headroom.setProps('capacity-job-ended', { data: { id: id, state: job ? job.state : 'gone', at: Date.now() } });
      }
      return KEEP();
    },
    // The address bar holds the whole view; it is replaced without a new page, so nothing is asked or drawn again.
    address: function (query, layer, tab, selection, kv, zone, least, study) {
      if (!study || query === null || query === undefined) return KEEP();
      const parts = ['study=' + encodeURIComponent(study)];
      if (query) parts.push(query);
      const view = { layer: layer === 'firm' ? '' : layer, tab: tab === 'sites' ? '' : tab, sel: selection, kv: kv === 'any' ? '' : kv, zone: zone === 'any' ? '' : zone, least: least };
      Object.keys(view).forEach(function (name) {
        const value = text(view[name]);
        if (value) parts.push(name + '=' + encodeURIComponent(value));
      });
      const search = '?' + parts.join('&');
      if (window.location.pathname === '/capacity' && window.location.search !== search) {
        window.history.replaceState(window.history.state, '', window.location.pathname + search);
      }
      return search;
    },
  };

  document.addEventListener('click', function (event) {
    const link = event.target.closest && event.target.closest('[data-capacity-select]');
    if (link) window.headroom.select('capacity', link.getAttribute('data-capacity-select'));
    const press = event.target.closest && event.target.closest('[data-capacity-press]');
    if (press) window.headroom.setProps(press.getAttribute('data-capacity-press'), { data: Date.now() });
    const zero = event.target.closest && event.target.closest('[data-capacity-zero]');
    if (zero) window.headroom.setProps('capacity-word-zero', { value: zero.getAttribute('data-capacity-zero') });
  });
})();
