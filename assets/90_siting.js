// The Siting page in the browser: which table shows, words that come and go, the address, its jobs, brushing.
(function () {
  'use strict';
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const KEEP = function () { return window.dash_clientside.no_update; };
  const PAGE = 'siting', FURTHER_MS = 8000;

  function text(value) { return value === null || value === undefined ? '' : String(value); }
  function grid(name) {
    try { return window.dash_ag_grid.getApi('siting-' + name + '-grid'); } catch (error) { return null; }
  }

  function lessOnSite(values) {
    if (!values.length || values.every(function (mw) { return Number(mw) === 0; })) return '';
    return ' less ' + (values.length === 1 ? values[0] + ' MW on site' : 'what is made on site');
  }

  clientside.siting = {
    showTab: function (tab, id) {
      [document.getElementById(id), document.getElementById(id + '-tools')].forEach(function (holder) {
        if (holder) holder.dataset.tab = tab;
      });
      window.dispatchEvent(new Event('resize'));
      return KEEP();
    },
    // A tab is told what is drawn while it shows; those of the selected element are told of that, too. The prices are
    // also a layer of the map.
    see: function (tab, drawn, selection, layer, id) {
      const holder = document.getElementById(id);
      if (!holder) return KEEP();
      const seen = holder.sitingSeen || (holder.sitingSeen = { drawn: 0, tabs: {} });
      const by = window.dash_clientside.callback_context.triggered.map(function (one) { return one.prop_id; });
      if (by.indexOf('siting-answered.data') >= 0) seen.drawn += 1; // drawn anew, be it the same
      (layer === 'lmp' && tab !== 'prices' ? [tab, 'prices'] : [tab]).forEach(function (name) {
        const data = { drawn: drawn === undefined ? null : drawn, at: seen.drawn };
        if (name === 'prices' || name === 'catalogue') data.selection = selection === undefined ? null : selection;
        const told = JSON.stringify(data);
        if (seen.tabs[name] === told) return;
        seen.tabs[name] = told;
        window.headroom.setProps('siting-seen-' + name, { data: data });
      });
      document.dispatchEvent(new CustomEvent('siting-told', { detail: tab }));
      return KEEP();
    },
    showWords: function (source, choice, candidates, days, kinds, own, onsite) {
      const filed = source === 'filed';
      const names = (kinds || []).concat(text(own).split('\n').map(function (line) { return line.split(':')[0].trim(); }).filter(Boolean));
      const words = names.length < 2 ? names.join('') : names.slice(0, -1).join(', ') + ' or ' + names[names.length - 1];
      return [
        filed || (choice !== 'one' && choice !== 'list'), filed || choice !== 'representative', candidates !== 'listed',
        days !== 'listed', filed, (words || 'no envelope') + lessOnSite(text(onsite).split(/[\s,;]+/).filter(Boolean)),
      ];
    },
    criterionUse: function (use) {
      const gates = text(use).indexOf('gate') === 0, scores = use === 'cost' || use === 'benefit';
      return [!gates, !scores, !scores];
    },
    showSheet: function (selection) {
      const bus = text(selection).indexOf('bus:') === 0;
      return [bus, !bus];
    },
    // One press asks for the typical days, or for the noise with a site on three of them, and runs the market so.
    priceMore: function (week, noise) {
      const by = window.dash_clientside.callback_context.triggered.map(function (one) { return one.prop_id; });
      if (week && by.indexOf('siting-market-week-pressed.data') >= 0) return ['typical', KEEP(), week];
      if (noise && by.indexOf('siting-market-noise-pressed.data') >= 0) return [KEEP(), 3, noise];
      return [KEEP(), KEEP(), KEEP()];
    },
    // Told when a job ends, and now and then while it runs: what is known so far is drawn.
    jobs: window.headroom.jobs.follow('siting-job-ended', FURTHER_MS),
    // What the table shows is what the map shows in full; the other buses are faint. In the map's view: the other way.
    brush: function (shown, within, tab, rows) {
      inView(within && within.length > 0);
      if (tab !== 'ranked' || !shown || !rows || shown.length === rows.length || (within && within.length)) return null;
      const wanted = new Set(shown.map(function (row) { return String(row.id); }));
      const found = [];
      const map = window.headroom.maps[PAGE];
      if (map) map.buses.forEach(function (layer, id) { if (wanted.has(id)) found.push(layer.feature.properties.i); });
      return found;
    },
    // The address bar holds the whole view; it is replaced without a new page.
    address: function (query, layer, tab, selection, drawn) {
      const rest = Array.from(arguments).slice(5), start = rest.pop(), study = rest.pop(); // between them: the market
      if (!study || query === null || query === undefined) return KEEP();
      const parts = ['study=' + encodeURIComponent(study)];
      if (query) parts.push(query);
      const of = drawn || {}, held = rest, first = start && start.market || {};
      const market = [first.days, (first.dates || []).join(', '), first.most_sites, Number((100 * first.site_gap).toFixed(9)), first.site_time_s,
        (first.sizes_mw || []).join(', '), first.security || 'base', first.reserve || 'share', first.noise_sites || 0,
        (first.must_run || []).join(', ')];
      const other = held.some(function (value, at) { return text(value) !== text(market[at]); });
      const equal = (of.weights || []).every(function (weight) { return weight === 1; });
      const view = {
        env: of.envelope, mw: of.size, k: of.top, w: equal ? '' : (of.weights || []).join(','), scale: of.pooled === false ? 'own' : '',
        mk: other ? held.map(text).join('~') : '', layer: layer === 'shortlist' ? '' : layer, tab: tab === 'ranked' ? '' : tab, sel: selection,
      };
      Object.keys(view).forEach(function (name) {
        const value = text(view[name]);
        if (value) parts.push(name + '=' + encodeURIComponent(value));
      });
      const search = '?' + parts.join('&');
      if (window.location.pathname === '/siting' && window.location.search !== search) {
        window.history.replaceState(window.history.state, '', window.location.pathname + search);
      }
      return search;
    },
  };

  // Only the sites in the map's view, in the table: asked of the grid again whenever the map has moved.
  let watched = null, on = false;
  function inView(wanted) {
    const map = window.headroom.maps[PAGE] && window.headroom.maps[PAGE].map;
    const changed = wanted !== on;
    on = wanted;
    if (map && watched !== map) { watched = map; map.on('moveend', function () { if (on) ask(); }); }
    if (changed) ask();
  }
  function ask() {
    const table = grid('ranked');
    if (!table) return;
    const s = window.headroom.maps[PAGE];
    const bounds = s && s.map ? s.map.getBounds() : null;
    table.setGridOption('isExternalFilterPresent', function () { return on && Boolean(bounds); });
    table.setGridOption('doesExternalFilterPass', function (node) {
      const layer = s.buses.get(String(node.data.id));
      return Boolean(layer) && bounds.contains(layer.getLatLng());
    });
    table.onFilterChanged();
  }

  // The number beside the slider, while it moves.
  document.addEventListener('input', function (event) {
    if (event.target.id === 'siting-top') document.getElementById('siting-top-shown').textContent = event.target.value;
  });
  document.addEventListener('click', function (event) {
    const press = event.target.closest && event.target.closest('[data-siting-press]');
    if (press) {
      press.disabled = true;
      window.headroom.setProps(press.getAttribute('data-siting-press'), { data: Date.now() });
    }
    const select = event.target.closest && event.target.closest('[data-siting-select]');
    if (select) window.headroom.select(PAGE, select.getAttribute('data-siting-select') || null);
  });

  // A number of a row opens its card; the press is no choice of the row.
  document.addEventListener('click', function (event) {
    const why = event.target.closest && event.target.closest('[data-siting-why]');
    if (!why) return;
    event.__ag_Grid_Stop_Propagation = true;
    window.headroom.setProps('siting-why-row-asked', { data: { value: why.getAttribute('data-siting-why'), at: Date.now() } });
  }, true);
  document.addEventListener('keydown', function (event) {
    const cell = event.key === 'Enter' && event.target.closest && event.target.closest('.hr-siting .ag-cell');
    const why = cell && cell.querySelector('[data-siting-why]');
    if (!why || event.target === why) return;
    event.preventDefault();
    event.stopPropagation();
    why.click();
  }, true);
  function whyFace(props, words) {
    return window.React.createElement('button', {
      type: 'button', className: 'hr-why-number', tabIndex: -1, 'data-popover': 'siting-why-row', 'aria-haspopup': 'dialog', 'aria-expanded': 'false',
      'data-siting-why': props.data.id + '|' + props.column.getColId(),
    }, words);
  }

  // The score's cell: the number, and a bar in as many parts as there are groups of criteria.
  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  components.SitingScore = function (props) {
    const make = window.React.createElement;
    const row = props.data || {};
    if (row.score === null || row.score === undefined) return make('span', { className: 'hr-muted' }, '\u2013');
    const parts = row.parts || [];
    const bars = parts.map(function (part, at) {
      return make('span', { key: at, className: 'hr-score-part hr-score-part-' + (at % 5), style: { width: (100 * Math.max(0, part) / Math.max(parts.length, 1)).toFixed(1) + '%' } });
    });
    return make('span', { className: 'hr-score' },
      make('span', { className: 'hr-score-bars', 'aria-hidden': 'true' }, bars),
      make('span', { className: 'hr-score-number' }, whyFace(props, row.score.toFixed(3))));
  };
  // A number with a card.
  components.SitingWhy = function (props) {
    const words = props.valueFormatted || text(props.value);
    if (props.value === null || props.value === undefined) return window.React.createElement('span', null, words);
    return whyFace(props, words);
  };
})();
