// The Capacity page in the browser: which table shows, the address that restores the view, the end of its job.
(function () {
  'use strict';
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const KEEP = function () { return window.dash_clientside.no_update; };
  let layered = null; // the study whose layer was chosen: by the reader, his link, or its first answer with outages
  let checking = false; // a set's check runs: its button waits
  const FIRST = ['firm', /^inc/, 'limit']; // columns of the sites on a phone

  function linked(name) { return new URLSearchParams(window.location.search).get(name); }
  function chosen(study) {
    if (linked('study') === study && linked('layer')) layered = study;
    return layered === study;
  }
  function first(grid) {
    if (!window.matchMedia('(max-width: 600px)').matches) return;
    const names = grid.getColumns().map(function (column) { return column.getColId(); });
    const wanted = FIRST.flatMap(function (one) { return names.filter(function (name) { return one === name || (one.test && one.test(name)); }); });
    grid.moveColumns(wanted, 1); // behind the bus
  }

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
    showBudget: function (keep) { return !text(keep).endsWith(':budget'); },
    // A row of "What binds" or "Products" selects the branch or the bus it is about.
    rowToSelection: function (rows) {
      if (rows && rows.length && rows[0].select) window.headroom.select('capacity', rows[0].select);
      return KEEP();
    },
    jobs: window.headroom.jobs.follow('capacity-job-ended'),
    // A set that had to be checked apart is published once its check is done; a check that failed says so itself.
    checkEnded: function (jobs, id) {
      const job = (jobs || []).find(function (entry) { return entry.id === id; });
      if (!job || window.headroom.jobs.active(job)) return KEEP();
      window.headroom.setProps('capacity-checking', { data: null });
      if (job.state === 'done') window.headroom.setProps('capacity-publish-pressed', { data: Date.now() });
      return KEEP();
    },
    showChecking: function (job) {
      const button = document.getElementById('capacity-publish');
      if (button && (job || checking)) window.headroom.setProps('capacity-publish', { disabled: Boolean(job) });
      checking = Boolean(job);
      return job ? 'The check of this set runs. It is published once it has passed.' : '';
    },
    // What the map paints with redispatch stands first in the inspector while it is looked at.
    showFirst: function (layer, panel) {
      const place = document.getElementById(panel + '-place');
      if (place) place.dataset.first = layer === 'redispatch' ? 'yes' : 'no';
      return KEEP();
    },
    // Outages, redispatch and seasons change what the sites get together, not each bus alone: the first such answer
    // shows the sites, unless the layer was chosen.
    showSites: function (drawn, layer, study) {
      if (!drawn || !drawn.deep || layer !== 'firm' || chosen(study)) return KEEP();
      layered = study;
      window.headroom.setProps('capacity-map-layer', { value: 'sites' });
      return KEEP();
    },
    // On a phone the numbers that were asked for stand right behind the bus.
    firstColumns: function (columns, id, tries) {
      let grid = null;
      try { grid = window.dash_ag_grid.getApi(id); } catch (error) { /* not drawn yet */ }
      if (!grid) {
        if (tries !== 0) window.setTimeout(function () { clientside.capacity.firstColumns(columns, id, (tries || 20) - 1); }, 100);
        return KEEP();
      }
      if (!grid.headroomFirst) {
        grid.headroomFirst = function () { first(grid); };
        grid.addEventListener('newColumnsLoaded', grid.headroomFirst);
        first(grid);
      }
      return KEEP();
    },
    // The words that an answer side by side stands for, both at once: one question, not two.
    setWords: function (words) { return words ? [words.security, words.supply] : [KEEP(), KEEP()]; },
    // The address bar holds the whole view; it is replaced without a new page, so nothing is asked or drawn again.
    address: function (query, layer, tab, selection, kv, zone, least, step, hour, study) {
      if (!study || query === null || query === undefined) return KEEP();
      const own = chosen(study);
      const parts = ['study=' + encodeURIComponent(study)];
      if (query) parts.push(query);
      const view = { layer: layer === 'firm' && !own ? '' : layer, tab: tab === 'sites' ? '' : tab, sel: selection, kv: kv === 'any' ? '' : kv, zone: zone === 'any' ? '' : zone, least: least, step: step === 'year' ? '' : step, hour: hour };
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

  document.addEventListener('change', function (event) {
    if (event.target.closest && event.target.closest('#capacity-map-layer')) layered = linked('study');
  }, true);

  document.addEventListener('click', function (event) {
    const link = event.target.closest && event.target.closest('[data-capacity-select]');
    if (link) window.headroom.select('capacity', link.getAttribute('data-capacity-select'));
    const press = event.target.closest && event.target.closest('[data-capacity-press]');
    if (press) window.headroom.setProps(press.getAttribute('data-capacity-press'), { data: Date.now() });
    const variant = event.target.closest && event.target.closest('[data-capacity-variant]');
    if (variant) {
      variant.disabled = true;
      window.headroom.setProps('capacity-variant', { data: { key: variant.getAttribute('data-capacity-variant'), at: Date.now() } });
    }
    const words = event.target.closest && event.target.closest('[data-capacity-words]');
    if (words) window.headroom.setProps('capacity-words', { data: JSON.parse(words.getAttribute('data-capacity-words')) });
    // One period on or back, round the year.
    const step = event.target.closest && event.target.closest('[data-capacity-step]');
    if (step) {
      const boxes = Array.from(document.querySelectorAll('#capacity-period input'));
      const now = boxes.findIndex(function (box) { return box.checked; });
      const next = boxes[(now + Number(step.getAttribute('data-capacity-step')) + boxes.length) % boxes.length];
      if (next) next.click();
    }
    const set = event.target.closest && event.target.closest('[data-capacity-set]');
    if (set) {
      const pair = set.getAttribute('data-capacity-set').split('=');
      window.headroom.setProps('capacity-word-' + pair[0], { value: isNaN(pair[1]) ? pair[1] : Number(pair[1]) });
    }
    const zero = event.target.closest && event.target.closest('[data-capacity-zero]');
    if (zero) window.headroom.setProps('capacity-word-zero', { value: zero.getAttribute('data-capacity-zero') });
  });
})();
