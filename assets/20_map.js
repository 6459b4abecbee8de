// Paints the one map of every page. The shapes come once per network; layers, theme, filter and selection only
// restyle them here, on the canvas, so a switch asks the server nothing and rebuilds nothing.
(function () {
  'use strict';
  const headroom = window.headroom;
  const maps = {}; // page -> {map, buses: Map id -> layer, branches, ...}
  const EDGE = 10; // pixels between what is in view at first and the edge of the map
  const THIN = '\u2009';
  // More stands out more: dark on a light ground, bright on a dark one.
  const CIVIDIS = {
    light: ['#efd94a', '#c8b866', '#948e77', '#666970', '#35456c', '#00224e'],
    dark: ['#24478f', '#4d6196', '#7c7f88', '#a8a286', '#d3c26d', '#fee838'],
  };
  const DIFFERENCE = {
    light: ['#5e3c99', '#9a86c2', '#cbc3e0', '#f3f1f6', '#fad3a1', '#ee9c43', '#c8670d'],
    dark: ['#a98be0', '#8670b8', '#5b4f7d', '#39434b', '#7d5a2c', '#c07d33', '#f2a04e'],
  };
  const SIGNS = ['bus', 'fine', 'firm', 'flexible', 'binding', 'candidate', 'stale'];

  let tokens = {};
  function readTokens() {
    const style = window.getComputedStyle(document.documentElement);
    tokens = {};
    ['ground', 'surface', 'land', 'county', 'branch', 'bus', 'line', 'line-strong', 'text', 'muted', 'ink', 'firm', 'flexible',
      'binding', 'fine', 'candidate', 'stale'].forEach(function (name) { tokens[name] = style.getPropertyValue('--hr-' + name).trim(); });
  }
  function theme() { return headroom.theme.now(); }

  function state(page) {
    if (!maps[page]) {
      maps[page] = {
        map: null, buses: new Map(), branches: new Map(), data: null, layer: null, shown: null, selected: null, members: [], ring: null,
        candidates: new Set(), bindingBranches: new Set(), bindingBuses: new Set(), waiting: null,
        dot: 0, // radius of a bus where there are few, 0 for the usual one
      };
    }
    return maps[page];
  }
  headroom.maps = maps;

  // Colours of a class. With fewer classes than colours, the whole range of the palette is used.
  function ramp(colours, number, total) {
    if (total <= 1) return colours[Math.floor(colours.length / 2)];
    return colours[Math.round((number - 1) * (colours.length - 1) / (total - 1))];
  }
  function colour(layer, number) {
    if (!number) return null;
    if (layer.palette === 'signs') return tokens[SIGNS[number]] || null;
    const total = Math.max(layer.labels.length, number);
    if (layer.palette === 'difference') return ramp(DIFFERENCE[theme()], number, total);
    if (layer.palette === 'cividis') return ramp(CIVIDIS[theme()], number, total);
    return null;
  }
  headroom.layerColour = colour; // the drawing canvas paints with the same colours
  function current(s) { return s.data && s.layer ? s.data.layers[s.layer] : null; }

  function scale(s) {
    if (!s.map) return 1;
    const zoom = s.map.getZoom() - s.home;
    return Math.max(1, Math.min(3.2, 1 + zoom * 0.42));
  }
  function busStyle(s, p) {
    const layer = current(s);
    const number = layer && layer.buses ? layer.buses[p.i] : 0;
    const painted = number ? colour(layer, number) : null;
    const hidden = s.shown && !s.shown.has(p.i);
    const candidate = s.candidates.has(p.i), binding = s.bindingBuses.has(p.i);
    const few = s.buses.size <= 320;
    let radius = (few ? s.dot || 5 : painted ? 3.1 : p.v >= 300 ? 2.6 : 1.9);
    if (candidate) radius = Math.max(radius, 4.6);
    const shape = number && layer.shapes && layer.shapes[number - 1] || 'dot';
    if (shape === 'diamond') radius = radius * 1.5 + 1.6;
    if (shape === 'small') radius *= 0.72;
    return {
      radius: radius * s.scale,
      shape: shape,
      stroke: !hidden,
      color: binding ? tokens.binding : candidate ? tokens.candidate : painted ? tokens.bus : tokens.surface,
      weight: binding || candidate ? 2.2 : few ? 1 : 0.5,
      opacity: 1,
      fill: true,
      fillColor: painted || (layer && layer.buses ? tokens.branch : tokens.bus),
      fillOpacity: hidden ? 0.12 : p.o ? 0.25 : painted || !layer || !layer.buses ? 1 : 0.7,
    };
  }
  function branchStyle(s, p) {
    const layer = current(s);
    const number = layer && layer.branches ? layer.branches[p.i] : 0;
    const painted = number ? colour(layer, number) : null;
    const binding = s.bindingBranches.has(p.i);
    const few = s.branches.size <= 500;
    const high = s.high && s.high.has(p.f) && s.high.has(p.t);
    return {
      color: binding ? tokens.binding : painted || tokens.branch,
      weight: binding ? 4.5 : painted ? (few ? 3 : 2) : few ? 1.8 : high ? 1.5 : 0.8,
      opacity: binding || painted ? 1 : p.o ? 0.3 : 0.85,
      dashArray: p.o ? '4 4' : null,
    };
  }
  function outline(fill, width) {
    return { color: tokens.county, weight: width, fill: Boolean(fill), fillColor: fill || undefined, fillOpacity: 1, opacity: 1 };
  }

  // What dash-leaflet calls for each feature; context.hideout says whose map it is.
  headroom.style = {
    bus: function (f, context) { return busStyle(state(context.hideout.page), f.properties); },
    branch: function (f, context) { return branchStyle(state(context.hideout.page), f.properties); },
    states: function () { return outline(tokens.land, 1.2); },
    texas: function () { return outline(null, 0.7); },
  };
  headroom.busPoint = function (f, latlng, context) {
    const s = state(context.hideout.page);
    const marker = new window.L.CircleMarker(latlng, busStyle(s, f.properties));
    const round = marker._updatePath;
    marker._updatePath = function () { if (!angular(this)) round.call(this); };
    return marker;
  };
  // A class may have corners, so that it is told apart without its colour.
  function angular(marker) {
    const shape = marker.options.shape, renderer = marker._renderer;
    if ((shape !== 'diamond' && shape !== 'square') || !renderer || !renderer._ctx) return false;
    if (!renderer._drawing || marker._empty()) return true;
    const p = marker._point, ctx = renderer._ctx, r = marker._radius;
    const corners = shape === 'diamond' ? [[0, -r], [r, 0], [0, r], [-r, 0]] : [[-r, -r], [r, -r], [r, r], [-r, r]];
    ctx.beginPath();
    corners.forEach(function (c, i) { if (i) ctx.lineTo(p.x + c[0], p.y + c[1]); else ctx.moveTo(p.x + c[0], p.y + c[1]); });
    ctx.closePath();
    renderer._fillStroke(ctx, marker);
    return true;
  }
  const outlines = [];
  headroom.eachOutline = function (f, layer) {
    const fill = f.properties && f.properties.name;
    layer.on('add', function () { layer.bringToBack(); });
    outlines.push({ layer: layer, fill: Boolean(fill) });
    if (outlines.length > 400) outlines.splice(0, outlines.length - 400);
  };
  function feature(kind, store) {
    return function (f, layer, context) {
      const page = context.hideout.page;
      const s = state(page);
      layer.on({
        add: function () {
          if (s.map !== layer._map) adopt(page, s, layer._map);
          if (!s.fresh[store]) { s[store].clear(); s.fresh[store] = true; window.setTimeout(function () { settle(page, s, store); }, 0); }
          s[store].set(String(f.properties.id), layer);
          if (kind === 'branch') layer.bringToBack();
        },
        click: function (event) {
          window.L.DomEvent.stopPropagation(event);
          headroom.select(page, kind + ':' + f.properties.id);
          headroom.showPane(page, 'why');
        },
        mouseover: function (event) { tip(s, kind, f.properties, event.latlng); },
        mouseout: function () { if (s.tip) s.tip.remove(); },
      });
    };
  }
  headroom.each = { bus: feature('bus', 'buses'), branch: feature('branch', 'branches') };

  // A new Leaflet map stands for this page: the page was drawn again, or for the first time.
  function adopt(page, s, map) {
    s.map = map;
    s.home = map.getZoom();
    s.bounds = null; // what is in view at first, once the buses stand
    s.scale = 1;
    s.ring = null;
    s.tip = null;
    s.fresh = {};
    s.moved = false;
    s.buses.clear();
    s.branches.clear();
    map.on('zoomend', function () {
      const next = scale(s);
      if (Math.abs(next - s.scale) > 0.05) { s.scale = next; restyle(s, ['buses']); }
    });
    map.on('click', function (event) {
      if (!document.querySelector('[data-map="' + page + '"][data-drawing]') && !event.originalEvent.defaultPrevented) headroom.select(page, null);
    });
    map.on('movestart zoomstart', function () { s.moved = true; });
    // What was fitted is fitted again when the map's place changes, unless the reader has moved it since.
    const watch = new ResizeObserver(function () {
      if (!map._container || !map._container.isConnected) { watch.disconnect(); return; }
      const moved = s.moved;
      map.invalidateSize({ animate: false });
      s.moved = moved;
      if (!moved) fit(s, false);
    });
    watch.observe(map.getContainer());
  }
  // The bounds of the buses themselves; of a drawing that is not geographic those that the page leaves room in.
  function whole(s) {
    const points = Array.from(s.buses.values()).map(function (layer) { return layer.getLatLng(); });
    const frame = s.map.getContainer().closest('[data-bounds]');
    const given = frame ? new window.L.LatLngBounds(JSON.parse(frame.dataset.bounds)) : null;
    if (!points.length || (given && frame.classList.contains('hr-map-plain'))) return given;
    const found = new window.L.LatLngBounds(points);
    return found.getSouthWest().equals(found.getNorthEast()) ? given || found : found;
  }
  // Fills the pane below the tools: without steps of zoom, which would leave a border of their own.
  function fit(s, animate) {
    if (!s.bounds || s.map.getSize().y <= 0) return;
    const tools = s.map.getContainer().parentElement.querySelector('.hr-map-tools');
    const top = tools ? tools.offsetTop + tools.offsetHeight : 0;
    const from = [EDGE, top + EDGE], to = [EDGE, EDGE], moved = s.moved, step = s.map.options.zoomSnap;
    s.map.options.zoomSnap = 0;
    s.home = s.map.getBoundsZoom(s.bounds, false, window.L.point(from).add(to));
    s.map.fitBounds(s.bounds, { paddingTopLeft: from, paddingBottomRight: to, animate: animate });
    s.map.options.zoomSnap = step;
    s.moved = moved;
  }
  function settle(page, s, store) {
    s.fresh[store] = false; // the next load of this layer starts again
    if (store === 'buses') {
      s.high = new Set();
      s.buses.forEach(function (layer, id) { if (layer.feature.properties.v >= 300) s.high.add(id); });
      if (!s.bounds && s.buses.size) { s.bounds = whole(s); if (!s.moved) fit(s, false); }
    }
    restyle(s, ['buses', 'branches']);
    if (s.selected) select(page, s.selected, false);
    document.dispatchEvent(new CustomEvent('headroom:map', { detail: { page: page, store: store, size: s[store].size } }));
  }
  function restyle(s, stores) {
    stores.forEach(function (store) {
      const style = store === 'buses' ? busStyle : branchStyle;
      s[store].forEach(function (layer) {
        const look = style(s, layer.feature.properties);
        if (look.radius && layer._radius !== look.radius) layer.setRadius(look.radius);
        layer.setStyle(look);
      });
    });
    if (s.map && stores.indexOf('branches') >= 0) {
      s.bindingBranches.forEach(function (i) { const l = byPosition(s.branches, i); if (l) l.bringToFront(); });
      s.buses.forEach(function (layer) { layer.bringToFront(); });
    }
    if (s.map) s.buses.forEach(function (layer) { if (layer.options.shape === 'diamond') layer.bringToFront(); });
    if (s.ring) s.ring.bringToFront();
  }
  function byPosition(store, i) {
    for (const layer of store.values()) if (layer.feature.properties.i === i) return layer;
    return null;
  }

  // The tooltip: one, moved about; text only, so nothing in a name is taken for markup.
  function tip(s, kind, p, latlng) {
    const box = document.createElement('div');
    const head = document.createElement('strong');
    head.textContent = kind === 'bus' ? (p.n ? p.n + ' (' + p.id + ')' : 'Bus ' + p.id) : (p.x ? 'Transformer ' : 'Line ') + p.id;
    box.append(head);
    const lines = [];
    if (kind === 'bus') lines.push([p.v ? p.v + ' kV' : '', p.z].filter(Boolean).join(', '));
    else lines.push('rating ' + (p.r === null || p.r === undefined ? 'unlimited' : String(Math.round(p.r)).replace(/\B(?=(\d{3})+$)/g, THIN) + ' MW'));
    if (p.o) lines.push('out of service');
    const layer = current(s);
    if (layer) {
      const texts = kind === 'bus' ? layer.busText : layer.branchText;
      const numbers = kind === 'bus' ? layer.buses : layer.branches;
      if (texts && texts[p.i]) lines.push(layer.label + ': ' + texts[p.i]);
      else if (numbers && numbers[p.i] && layer.labels[numbers[p.i] - 1]) {
        lines.push(layer.label + ': ' + layer.labels[numbers[p.i] - 1] + (layer.unit ? ' ' + layer.unit : ''));
      }
    }
    if (kind === 'branch' && s.bindingBranches.has(p.i)) lines.push('binds');
    lines.filter(Boolean).forEach(function (text) {
      const line = document.createElement('div');
      line.textContent = text;
      box.append(line);
    });
    if (!s.tip) s.tip = new window.L.Tooltip({ className: 'hr-tip', direction: 'top', offset: [0, -8], opacity: 1, interactive: false });
    s.tip.setLatLng(latlng).setContent(box);
    if (!s.map.hasLayer(s.tip)) s.tip.addTo(s.map);
  }

  // Selection: a ring around a bus, a thicker line under a branch, in view.
  function select(page, element, move) {
    const s = state(page);
    s.selected = element;
    if (!s.map) return;
    if (s.ring) { s.ring.remove(); s.ring = null; }
    const text = String(element || '');
    const kind = text.slice(0, text.indexOf(':')), id = text.slice(kind.length + 1);
    const layer = kind === 'bus' ? s.buses.get(id) : kind === 'branch' ? s.branches.get(id) : null;
    if (!layer) { underline(s, s.members); return; }
    if (kind === 'bus') {
      s.ring = new window.L.CircleMarker(layer.getLatLng(), {
        radius: Math.max(9, (layer._radius || 3) + 5), color: tokens.text, weight: 2.5, fill: false, interactive: false,
      });
      s.ring.addTo(s.map);
    } else underline(s, [id]);
    if (!move) return;
    if (kind === 'bus') {
      if (!s.map.getBounds().pad(-0.01).contains(layer.getLatLng())) go(s, layer.getLatLng(), s.map.getZoom());
    } else if (!s.map.getBounds().intersects(layer.getBounds())) s.map.fitBounds(layer.getBounds(), { maxZoom: s.map.getZoom(), padding: [60, 60] });
  }
  function underline(s, branches) {
    const lines = branches.map(function (id) { return s.branches.get(id); }).filter(Boolean);
    if (!lines.length) return;
    const shapes = lines.map(function (line) { return line.getLatLngs(); });
    s.ring = new window.L.Polyline(shapes, { color: tokens.text, weight: 8, opacity: 0.45, interactive: false });
    s.ring.addTo(s.map);
    s.ring.bringToBack();
  }
  // Branches that a selection without a shape of its own stands for: those of an interface, or of an outage.
  headroom.members = function (page, branches) {
    const s = state(page);
    s.members = branches;
    select(page, s.selected, false);
  };
  function go(s, latlng, zoom) {
    if (headroom.calm()) s.map.setView(latlng, zoom, { animate: false });
    else s.map.flyTo(latlng, zoom, { duration: 0.5 });
  }

  // Legend ------------------------------------------------------------------------------------------------
  function mark(fill, shape, words) {
    const line = document.createElement('li');
    const sign = document.createElement('span');
    sign.className = 'hr-legend-mark';
    sign.dataset.shape = shape;
    if (shape === 'ring') sign.style.borderColor = fill; else sign.style.background = fill;
    const text = document.createElement('span');
    text.textContent = words;
    line.append(sign, text);
    return line;
  }
  function drawLegend(page, s) {
    const box = document.getElementById(page + '-map-legend');
    if (!box) return;
    box.replaceChildren();
    const layer = current(s);
    const list = document.createElement('ul');
    if (layer) {
      const title = document.createElement('p');
      title.className = 'hr-legend-title';
      title.textContent = layer.label + (layer.unit ? ', ' + layer.unit : '');
      if (layer.labels.length) {
        box.append(title);
        const shape = layer.buses ? 'dot' : 'line';
        layer.labels.forEach(function (words, i) {
          const c = colour(layer, i + 1);
          if (c && words) list.append(mark(c, layer.shapes && layer.shapes[i] || shape, words));
        });
        const numbers = layer.buses || layer.branches || [];
        if (layer.palette !== 'signs' && numbers.indexOf(0) >= 0) list.append(mark(tokens.branch, shape, 'no value'));
      }
    }
    if (s.candidates.size) list.append(mark(tokens.candidate, 'ring', 'candidate'));
    if (s.bindingBranches.size) list.append(mark(tokens.binding, 'line', 'binding branch'));
    if (s.bindingBuses.size) list.append(mark(tokens.binding, 'ring', 'binding at the bus'));
    if (list.children.length) box.append(list);
    if (layer && layer.note) {
      const note = document.createElement('p');
      note.className = 'hr-legend-note';
      note.textContent = layer.note;
      box.append(note);
    }
  }

  function repaint(page, s) {
    restyle(s, ['branches', 'buses']);
    drawLegend(page, s);
    if (s.selected) select(page, s.selected, false);
  }
  document.addEventListener('headroom:theme', function () {
    readTokens();
    outlines.forEach(function (o) { o.layer.setStyle(o.fill ? headroom.style.states() : headroom.style.texas()); });
    Object.keys(maps).forEach(function (page) { if (maps[page].map && maps[page].map._container.isConnected) repaint(page, maps[page]); });
  });

  // Functions that callbacks name -------------------------------------------------------------------------------
  Object.assign(window.dash_clientside.headroom, {
    paintMap: function (data, layer, filter, id) {
      const page = id.slice(0, -4);
      const s = state(page);
      readTokens();
      s.data = data;
      s.layer = data && data.layers[layer] ? layer : data ? Object.keys(data.layers)[0] || null : null;
      s.shown = Array.isArray(filter) ? new Set(filter) : null;
      s.candidates = new Set(data ? data.candidates : []);
      s.bindingBranches = new Set(data ? data.bindingBranches : []);
      s.bindingBuses = new Set(data ? data.bindingBuses : []);
      const frame = document.querySelector('[data-map="' + page + '"]');
      if (frame) frame.classList.toggle('hr-map-stale', Boolean(data && data.stale));
      document.querySelectorAll('[data-map-search] input').forEach(ready);
      repaint(page, s);
      return window.dash_clientside.no_update;
    },
    selectionToMap: function (element, id) {
      select(id.slice(0, -4), element, true);
      return window.dash_clientside.no_update;
    },
  });
  readTokens();

  // Zoom buttons, and the legend on a phone ---------------------------------------------------------------------
  document.addEventListener('click', function (event) {
    const toggle = event.target.closest && event.target.closest('[data-legend-toggle]');
    if (toggle) toggle.setAttribute('aria-expanded', String(toggle.parentElement.toggleAttribute('data-open')));
    const button = event.target.closest && event.target.closest('[data-map-zoom]');
    if (!button) return;
    const s = state(button.getAttribute('data-map-page'));
    if (!s.map) return;
    const action = button.getAttribute('data-map-zoom');
    if (action === 'in') s.map.zoomIn(1); else if (action === 'out') s.map.zoomOut(1);
    else {
      if (!s.buses.size) return;
      s.bounds = whole(s);
      s.map.once('moveend', function () { s.moved = false; });
      fit(s, !headroom.calm());
    }
  });

  // Search: a combobox over what the map knows -----------------------------------------------------------------------
  function found(s, text) {
    const want = text.trim().toLowerCase();
    if (!want) return [];
    const hits = [];
    s.buses.forEach(function (layer, id) {
      const p = layer.feature.properties;
      const name = (p.n || '').toLowerCase(), key = id.toLowerCase();
      const rank = key === want ? 0 : name === want ? 1 : name.startsWith(want) ? 2 : key.startsWith(want) ? 3
        : name.includes(want) ? 4 : key.includes(want) ? 5 : 9;
      if (rank < 9) hits.push({ rank: rank, id: id, p: p });
    });
    hits.sort(function (a, b) { return a.rank - b.rank || (b.p.v || 0) - (a.p.v || 0) || a.p.i - b.p.i; });
    return hits.slice(0, 12);
  }
  function searchParts(input) {
    const holder = input.closest('[data-map-search]');
    return { holder: holder, list: holder.querySelector('[role="listbox"]'), page: holder.dataset.mapSearch };
  }
  function ready(input) {
    if (input.getAttribute('role') === 'combobox') return;
    const parts = searchParts(input);
    input.setAttribute('role', 'combobox');
    input.setAttribute('aria-autocomplete', 'list');
    input.setAttribute('aria-controls', parts.list.id);
    input.setAttribute('aria-expanded', 'false');
    input.setAttribute('aria-label', parts.holder.dataset.label);
  }
  function suggest(input) {
    const parts = searchParts(input);
    const hits = found(state(parts.page), input.value);
    parts.list.replaceChildren.apply(parts.list, hits.map(function (hit, at) {
      const line = document.createElement('li');
      line.id = parts.list.id + '-' + at;
      line.setAttribute('role', 'option');
      line.setAttribute('aria-selected', String(at === 0));
      line.dataset.bus = hit.id;
      const name = document.createElement('span');
      name.textContent = hit.p.n || 'Bus ' + hit.id;
      const note = document.createElement('small');
      note.textContent = [hit.id, hit.p.v ? hit.p.v + ' kV' : '', hit.p.z].filter(Boolean).join(' \u00b7 ');
      line.append(name, note);
      return line;
    }));
    if (!hits.length && input.value.trim()) {
      const none = document.createElement('li');
      none.setAttribute('role', 'option');
      none.setAttribute('aria-disabled', 'true');
      none.setAttribute('aria-selected', 'false');
      none.textContent = 'No substation or bus has this in its name or number';
      parts.list.append(none);
    }
    show(input, parts, Boolean(input.value.trim()));
    mark2(input, parts, hits.length ? 0 : -1);
  }
  function show(input, parts, yes) {
    parts.list.hidden = !yes;
    input.setAttribute('aria-expanded', String(yes));
    if (!yes) input.removeAttribute('aria-activedescendant');
  }
  function mark2(input, parts, at) {
    Array.from(parts.list.children).forEach(function (line, i) { line.setAttribute('aria-selected', String(i === at)); });
    if (at >= 0 && parts.list.children[at]) {
      input.setAttribute('aria-activedescendant', parts.list.children[at].id);
      parts.list.children[at].scrollIntoView({ block: 'nearest' });
    }
  }
  function choose(input, parts, line) {
    if (!line || !line.dataset.bus) return;
    const s = state(parts.page);
    const layer = s.buses.get(line.dataset.bus);
    show(input, parts, false);
    input.value = layer.feature.properties.n || line.dataset.bus;
    headroom.select(parts.page, 'bus:' + line.dataset.bus);
    go(s, layer.getLatLng(), Math.max(s.map.getZoom(), s.home + 3.5));
  }
  document.addEventListener('focusin', function (event) {
    if (event.target.matches && event.target.matches('[data-map-search] input')) ready(event.target);
  });
  document.addEventListener('input', function (event) {
    if (event.target.matches && event.target.matches('[data-map-search] input')) { ready(event.target); suggest(event.target); }
  });
  document.addEventListener('keydown', function (event) {
    if (!event.target.matches || !event.target.matches('[data-map-search] input')) return;
    const input = event.target, parts = searchParts(input), lines = Array.from(parts.list.children);
    const at = lines.findIndex(function (line) { return line.getAttribute('aria-selected') === 'true'; });
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (parts.list.hidden) suggest(input);
      else mark2(input, parts, (at + (event.key === 'ArrowDown' ? 1 : lines.length - 1)) % lines.length);
    } else if (event.key === 'Enter') { event.preventDefault(); choose(input, parts, lines[Math.max(at, 0)]); }
    else if (event.key === 'Escape') {
      event.stopPropagation();
      if (!parts.list.hidden) show(input, parts, false); else input.blur();
    }
  }, true);
  document.addEventListener('pointerdown', function (event) {
    const line = event.target.closest && event.target.closest('.hr-suggestions [data-bus]');
    if (line) {
      event.preventDefault();
      const input = line.closest('[data-map-search]').querySelector('input');
      choose(input, searchParts(input), line);
    } else document.querySelectorAll('[data-map-search] [role="listbox"]:not([hidden])').forEach(function (list) {
      const input = list.closest('[data-map-search]').querySelector('input');
      if (!list.contains(event.target) && event.target !== input) show(input, searchParts(input), false);
    });
  });
})();
