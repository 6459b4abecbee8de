// Drawing on the Network page. Every gesture, key, form and cell becomes one edit for Python, which holds the one
// truth: the canvas, the map and the tables show what comes back. Edits go one at a time, in order.
(function () {
  'use strict';
  const headroom = window.headroom;
  const PAGE = 'network';
  const NO = function () { return window.dash_clientside.no_update; };
  const WAIT_MS = 10000; // an answer that never comes must not stop the drawing for good

  // The queue ---------------------------------------------------------------------------------------------------
  const queue = [];
  let seq = 0, under_way = null, timer = null;
  function send(request) {
    if (readOnly()) return;
    queue.push(request);
    pump();
  }
  function edit(event, from) { send({ event: event, from: from || 'drawing' }); }
  function pump() {
    if (under_way !== null || !queue.length) return;
    const request = queue.shift();
    request.seq = String(Date.now()) + '-' + (seq += 1);
    under_way = request.seq;
    timer = window.setTimeout(function () { under_way = null; pump(); }, WAIT_MS);
    const strip = document.querySelector('[data-draw-strip]');
    if (strip) strip.setAttribute('aria-busy', 'true');
    headroom.setProps('network-event', { data: request });
  }
  function answered(ack) {
    if (!ack || ack.seq !== under_way) return;
    window.clearTimeout(timer);
    under_way = null;
    if (!queue.length) {
      const strip = document.querySelector('[data-draw-strip]');
      if (strip) strip.removeAttribute('aria-busy');
    }
    if (ack.ok && (ack.from === 'paste' || ack.from === 'add-row')) {
      const open = document.querySelector('.hr-popover[data-open]');
      if (open) document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
      if (ack.from === 'paste') headroom.setProps('network-paste-text', { value: '' });
    }
    pump();
  }

  // What stands on the page -----------------------------------------------------------------------------------------
  function readOnly() {
    const strip = document.querySelector('[data-draw-strip]');
    return !strip || strip.dataset.drawStrip === 'read-only';
  }
  function onCanvas() {
    const frame = document.querySelector('[data-draw-canvas]');
    return Boolean(frame && !frame.hidden);
  }
  function mapState() { return headroom.maps ? headroom.maps[PAGE] : null; }
  function cyOf() {
    const holder = document.getElementById('network-canvas');
    const cy = holder && holder._cyreg ? holder._cyreg.cy : null;
    return cy && !cy.destroyed() ? cy : null;
  }
  let selection = null;
  function kindOf(element) { return String(element || '').split(':', 1)[0]; }
  function idOf(element) { const text = String(element || ''); return text.slice(text.indexOf(':') + 1); }

  // Tools -------------------------------------------------------------------------------------------------------------
  let tool = 'select', first = null, handles = null;
  function choose(name) {
    if (readOnly() && name !== 'select') return;
    tool = name;
    lift();
    document.querySelectorAll('[data-draw-tool]').forEach(function (button) {
      button.setAttribute('aria-pressed', String(button.dataset.drawTool === name));
    });
    const frame = document.querySelector('[data-map="network"]');
    if (frame) { if (name === 'select') frame.removeAttribute('data-drawing'); else frame.setAttribute('data-drawing', name); }
    const canvas = document.querySelector('[data-draw-canvas]');
    if (canvas) canvas.dataset.tool = name;
    const cy = cyOf();
    if (cy) {
      cy.autoungrabify(name !== 'select' || readOnly());
      if (handles) { if (name === 'connect') handles.enableDrawMode(); else handles.disableDrawMode(); }
    }
    handle();
  }
  function lift() {
    first = null;
    const cy = cyOf();
    if (cy) cy.nodes().removeClass('first');
    const s = mapState();
    if (s && s.startRing) { s.startRing.remove(); s.startRing = null; }
  }
  // One press on a bus while connecting: the first is remembered, the second closes the branch.
  function reach(bus) {
    if (first === null) {
      first = bus;
      const cy = cyOf();
      if (cy && onCanvas()) cy.getElementById('bus:' + bus).addClass('first');
      const s = mapState();
      const layer = s && s.map && !onCanvas() ? s.buses.get(bus) : null;
      if (layer) s.startRing = new window.L.CircleMarker(layer.getLatLng(), { radius: 11, weight: 3, color: css('candidate'), fill: false, interactive: false }).addTo(s.map);
      return;
    }
    const start = first;
    lift();
    if (start !== bus) edit({ type: 'connect', from_bus: start, to_bus: bus });
  }
  function remove(element) {
    const field = { bus: 'buses', branch: 'branches', unit: 'units' }[kindOf(element)];
    if (field) edit({ type: 'delete', [field]: [idOf(element)] });
  }

  // The canvas ------------------------------------------------------------------------------------------------------
  function css(name) { return window.getComputedStyle(document.documentElement).getPropertyValue('--hr-' + name).trim(); }
  function sheet() {
    return [
      { selector: 'node', style: {
        label: 'data(label)', width: 18, height: 18, 'background-color': css('bus'), 'border-width': 2, 'border-color': css('surface'),
        color: css('text'), 'font-family': 'IBM Plex Sans, sans-serif', 'font-size': 12, 'text-valign': 'bottom', 'text-margin-y': 5,
        'text-background-color': css('ground'), 'text-background-opacity': 0.8, 'text-background-padding': 1, 'min-zoomed-font-size': 7 } },
      { selector: 'node[load = 1]', style: { shape: 'ellipse', 'background-color': css('text') } },
      { selector: 'node[units = 1]', style: { shape: 'diamond', width: 24, height: 24, 'background-color': css('fine') } },
      { selector: 'node[slack = 1]', style: { 'border-width': 4, 'border-color': css('ink') } },
      { selector: 'node[off = 1]', style: { 'background-opacity': 0.3 } },
      { selector: 'edge', style: {
        width: 2.5, 'line-color': css('branch'), 'curve-style': 'bezier', label: 'data(label)', 'font-size': 11, color: css('muted'),
        'font-family': 'IBM Plex Sans, sans-serif', 'text-background-color': css('ground'), 'text-background-opacity': 0.85, 'text-background-padding': 2, 'min-zoomed-font-size': 9.5 } },
      { selector: 'edge[transformer = 1]', style: { 'line-style': 'dashed', 'line-dash-pattern': [12, 3] } },
      { selector: 'edge[off = 1]', style: { 'line-style': 'dotted', 'line-opacity': 0.5 } },
      { selector: '[paint]', style: { 'background-color': 'data(paint)' } },
      { selector: 'edge[paint]', style: { 'line-color': 'data(paint)', width: 4 } },
      { selector: 'edge[told]', style: { label: 'data(told)' } },
      { selector: 'edge[binds = 1]', style: { 'line-color': css('binding'), width: 8 } },
      { selector: ':selected', style: { 'overlay-color': css('candidate'), 'overlay-opacity': 0.35, 'overlay-padding': 7 } },
      { selector: 'node.first', style: { 'border-width': 5, 'border-color': css('candidate') } },
      { selector: '.eh-preview, .eh-ghost-edge', style: { 'line-color': css('candidate'), 'target-arrow-shape': 'none', label: '', width: 3 } },
      { selector: '.eh-target, .eh-source', style: { 'border-width': 5, 'border-color': css('candidate') } },
      { selector: '.eh-ghost-edge.eh-preview-active', style: { opacity: 0 } },
    ].concat([{ selector: 'node.eh-ghost', style: { opacity: 0, label: '' } }]);
  }
  let extension = null;
  // Cytoscape comes when its script has, and comes anew when its pane is drawn again: looked for, not waited for.
  window.setInterval(function () { if (document.querySelector('[data-draw-canvas]:not([hidden])')) setUp(); }, 150);
  function setUp() {
    const cy = cyOf();
    if (!cy || cy.scratch('headroom') || !headroom.theme) return;
    cy.scratch('headroom', true);
    handles = null;
    cy.style().fromJson(sheet()).update();
    if (!readOnly()) {
      if (!extension) window.cytoscapeEdgehandles(function (type, name, body) { extension = body; });
      handles = extension.call(cy, {
        snap: true, snapThreshold: 30, noEdgeEventsInDraw: true, disableBrowserGestures: false,
        canConnect: function (source, target) { return source.id() !== target.id() && source.isNode() && target.isNode(); },
        edgeParams: function () { return { data: { label: '', transformer: 0, off: 0 } }; },
      });
    }
    cy.on('tap', function (event) {
      if (event.target !== cy) return;
      if (tool === 'add') edit({ type: 'add-bus', x: round(event.position.x), y: round(event.position.y) });
      else { lift(); headroom.select(PAGE, null); }
    });
    cy.on('tap', 'node, edge', function (event) {
      const element = event.target.id();
      if (kindOf(element) !== 'bus' && kindOf(element) !== 'branch') return;
      if (tool === 'connect' && event.target.isNode()) reach(idOf(element));
      else if (tool === 'delete') remove(element);
      else headroom.select(PAGE, element);
    });
    let dropped = [];
    cy.on('dragfree', 'node', function (event) {
      const at = event.target.position();
      dropped.push([idOf(event.target.id()), round(at.x), round(at.y)]);
      if (dropped.length > 1) return;
      window.setTimeout(function () { const places = dropped; dropped = []; edit({ type: 'move', places: places }); }, 0);
    });
    cy.on('ehcomplete', function (event, source, target, added) {
      added.remove(); // what is drawn is what Python says
      first = null;
      cy.nodes().removeClass('first');
      edit({ type: 'connect', from_bus: idOf(source.id()), to_bus: idOf(target.id()) });
    });
    let width = 0, height = 0;
    const watch = new ResizeObserver(function () {
      const box = cy.destroyed() ? null : cy.container();
      if (!box || !box.isConnected) { watch.disconnect(); return; }
      if (!box.clientWidth || (box.clientWidth === width && box.clientHeight === height)) return;
      cy.resize();
      if (!width) fit(); else cy.panBy({ x: (box.clientWidth - width) / 2, y: (box.clientHeight - height) / 2 });
      width = box.clientWidth;
      height = box.clientHeight;
    });
    watch.observe(cy.container());
    choose('select');
    shown(cy);
  }
  function round(number) { return Math.round(number * 10) / 10; }
  function fit() {
    if (onCanvas()) {
      const cy = cyOf();
      if (!cy || !cy.nodes().length) return;
      cy.resize();
      cy.fit(undefined, 48);
      if (cy.zoom() > 1.6) { cy.zoom(1.6); cy.center(); }
    } else {
      const button = document.querySelector('[data-map-zoom="fit"][data-map-page="network"]');
      if (button) button.click();
    }
  }
  let painted = null; // {data, layer}
  function paint() {
    const cy = cyOf();
    if (!cy || !painted || !onCanvas()) return;
    const data = painted.data, layer = data && data.layers[painted.layer];
    const colour = function (number) { return headroom.layerColour(layer, number); };
    const binding = new Set(data ? data.bindingBranches : []);
    cy.batch(function () {
      [['bus', cy.nodes('[id ^= "bus:"]'), 'buses'], ['branch', cy.edges('[id ^= "branch:"]'), 'branches']].forEach(function (part) {
        part[1].forEach(function (element) {
          const i = element.data('i');
          const number = layer && layer[part[2]] ? layer[part[2]][i] : 0;
          if (number) element.data('paint', colour(number)); else element.removeData('paint');
          if (part[0] === 'branch') {
            element.data('binds', binding.has(i) ? 1 : 0);
            const text = layer && layer.branchText ? layer.branchText[i] : null;
            if (text) element.data('told', text); else element.removeData('told');
          }
        });
      });
    });
    legend(layer, layer ? colour : null, binding.size > 0);
  }
  function legend(layer, colour, binding) {
    const box = document.getElementById('network-canvas-legend');
    if (!box) return;
    box.replaceChildren();
    box.hidden = !layer || !layer.labels.length || !((layer.buses || layer.branches || []).some(Boolean));
    if (box.hidden) return;
    const title = document.createElement('p');
    title.className = 'hr-legend-title';
    title.textContent = layer.label + (layer.unit ? ', ' + layer.unit : '');
    const list = document.createElement('ul');
    const line = function (fill, shape, words) {
      const item = document.createElement('li'), sign = document.createElement('span'), text = document.createElement('span');
      sign.className = 'hr-legend-mark';
      sign.dataset.shape = shape;
      sign.style.background = fill;
      text.textContent = words;
      item.append(sign, text);
      list.append(item);
    };
    layer.labels.forEach(function (words, i) { line(colour(i + 1), layer.buses ? 'dot' : 'line', words); });
    if (binding) line(css('binding'), 'line', 'binding branch');
    box.append(title, list);
  }
  // After Python has drawn: places are those it holds, also after a refused move, and the selection is kept.
  function shown(cy) {
    const held = painted && painted.elements;
    if (held && under_way === null && !queue.length) {
      cy.batch(function () {
        held.forEach(function (element) {
          if (!element.position) return;
          const node = cy.getElementById(element.data.id);
          if (node.nonempty() && !node.grabbed()) node.position({ x: element.position.x, y: element.position.y });
        });
      });
    }
    cy.elements(':selected').unselect();
    if (selection) cy.getElementById(selection).select();
    paint();
  }

  // The map ------------------------------------------------------------------------------------------------------------
  let heldMap = null, grip = null;
  function mapReady() {
    const s = mapState();
    if (!s || !s.map || onCanvas()) return;
    if (heldMap !== s.map) {
      heldMap = s.map;
      grip = null;
      s.map.on('click', function (event) {
        if (tool !== 'add') { if (tool === 'connect') lift(); return; }
        edit(place({ type: 'add-bus' }, event.latlng));
      });
      choose(tool);
    }
  }
  function geographic() {
    const holder = document.querySelector('[data-draw-map]');
    return Boolean(holder && holder.dataset.drawMap === 'geographic');
  }
  function place(event, at) {
    if (geographic()) { event.longitude = Number(at.lng.toFixed(5)); event.latitude = Number(at.lat.toFixed(5)); }
    else { event.x = round(at.lng); event.y = round(-at.lat); }
    return event;
  }
  // A bus is one dot of a canvas and cannot be dragged; the selected one gets a grip that can.
  function handle() {
    const s = mapState();
    if (grip) { grip.remove(); grip = null; }
    if (!s || !s.map || onCanvas() || readOnly() || tool !== 'select' || kindOf(selection) !== 'bus') return;
    const layer = s.buses.get(idOf(selection));
    if (!layer) return;
    grip = new window.L.Marker(layer.getLatLng(), {
      draggable: true, keyboard: false, autoPan: true,
      icon: new window.L.DivIcon({ className: 'hr-draw-grip', iconSize: [22, 22] }), title: 'Drag to move bus ' + idOf(selection),
    });
    const bus = idOf(selection);
    grip.on('dragend', function () {
      const at = grip.getLatLng();
      const spot = geographic() ? [bus, Number(at.lng.toFixed(5)), Number(at.lat.toFixed(5))] : [bus, round(at.lng), round(-at.lat)];
      edit({ type: 'move', places: [spot], geographic: geographic() });
    });
    grip.addTo(s.map);
  }
  window.setInterval(function () {
    if (document.querySelector('[data-draw-map]:not([hidden])')) mapReady();
    const file = document.querySelector('#network-upload input[type="file"]:not([aria-label])');
    if (file) { file.setAttribute('aria-label', 'Network files'); file.tabIndex = -1; } // the button before it is the control
  }, 400);
  document.addEventListener('headroom:map', function (event) { if (event.detail.page === PAGE) { mapReady(); handle(); } });
  document.addEventListener('headroom:theme', function () {
    const cy = cyOf();
    if (cy) { cy.style().fromJson(sheet()).update(); paint(); }
  });

  // Tables, forms, clipboard ---------------------------------------------------------------------------------------------
  function table() {
    const tab = document.querySelector('[data-draw-table]:not([hidden])');
    return tab ? tab.dataset.drawTable : 'buses';
  }
  function grid(name) {
    try { return window.dash_ag_grid.getApi('network-' + name + '-grid'); } catch (error) { return null; }
  }
  function selectedRows() {
    const api = grid(table());
    return api ? api.getSelectedNodes().map(function (node) { return node.id; }) : [];
  }
  function fieldsOf(type) {
    const values = {};
    document.querySelectorAll('[id*=\'"type":"' + type + '"\']').forEach(function (holder) {
      const column = JSON.parse(holder.id).column;
      const box = holder.matches('input, select') ? holder : holder.querySelector('input, select');
      values[column] = box ? box.value : '';
    });
    return values;
  }
  function apply() {
    const holder = document.querySelector('[data-draw-form]');
    if (!holder || !holder.dataset.drawForm) return;
    const form = JSON.parse(holder.dataset.drawForm);
    const now = fieldsOf('network-field');
    const cells = Object.keys(now).filter(function (column) { return String(now[column]) !== String(form.values[column]); })
      .map(function (column) { return [form.key, column, now[column]]; });
    if (cells.length) edit({ type: 'edit-cells', table: form.table, cells: cells }, 'form');
  }
  function addRow(name) {
    const values = fieldsOf('network-new');
    const given = Object.keys(values).filter(function (column) { return values[column] !== ''; });
    edit({ type: 'add-row', table: name, values: given.map(function (column) { return [column, values[column]]; }) }, 'add-row');
  }
  function paste(text, over, from) {
    const name = table();
    if (name === 'problems' || !text.trim()) return;
    const request = { type: 'paste-rows', table: name, text: text };
    const api = grid(name), cell = api ? api.getFocusedCell() : null;
    if (over && cell) {
      const node = api.getDisplayedRowAtIndex(cell.rowIndex);
      if (node) { request.row = node.id; request.column = cell.column.getColId(); }
    }
    edit(request, from);
  }
  function act(action) {
    if (action === 'fit') fit();
    else if (action === 'undo' || action === 'redo') send({ action: action, from: 'drawing' });
    else if (action === 'delete') { if (selection) remove(selection); }
    else if (action === 'slack') edit({ type: 'set-slack', bus: idOf(selection) });
    else if (action === 'delete-rows') {
      const rows = selectedRows();
      if (rows.length && table() !== 'problems') edit({ type: 'delete', [table()]: rows });
    } else if (action === 'copy-rows') copyRows();
  }
  function copyRows() {
    const api = grid(table());
    if (!api) return;
    const columns = api.getColumns().map(function (column) { return column.getColId(); });
    const chosen = selectedRows();
    const wanted = new Set(chosen);
    const clean = function (value) {
      if (value === null || value === undefined) return '';
      const text = typeof value === 'string' && value !== 'inf' && /^[=+\-@']/.test(value) ? "'" + value : String(value);
      return /[\t\n"]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    };
    const lines = [columns.join('\t')];
    api.forEachNodeAfterFilterAndSort(function (node) {
      if (!chosen.length || wanted.has(node.id)) lines.push(columns.map(function (column) { return clean(node.data[column]); }).join('\t'));
    });
    const done = function () { headroom.toast((lines.length - 1) + (lines.length === 2 ? ' row copied' : ' rows copied'), null); };
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(lines.join('\n')).then(done, function () { byHand(lines); });
    else { byHand(lines); done(); }
  }
  function byHand(lines) {
    const box = document.createElement('textarea');
    box.value = lines.join('\n');
    document.body.append(box);
    box.select();
    document.execCommand('copy');
    box.remove();
  }

  document.addEventListener('click', function (event) {
    const button = event.target.closest && event.target.closest('[data-draw-tool], [data-draw-action], [data-draw-apply], [data-draw-add-row], [data-draw-paste], [data-select]');
    if (!button || button.disabled || !document.querySelector('[data-draw-strip]')) return;
    const data = button.dataset;
    if (data.drawTool) choose(data.drawTool);
    else if (data.drawAction) act(data.drawAction);
    else if (data.drawApply !== undefined) apply();
    else if (data.drawAddRow) addRow(data.drawAddRow);
    else if (data.drawPaste !== undefined) {
      const box = document.getElementById('network-paste-text');
      paste(box.value, document.getElementById('network-paste-where').value === 'over', 'paste');
    } else if (data.select) headroom.select(PAGE, data.select);
  });
  // A block pasted on a grid goes over its cells from the focused one on.
  document.addEventListener('paste', function (event) {
    const inGrid = event.target.closest && event.target.closest('[data-draw-table] .ag-root');
    if (!inGrid || event.target.matches('input, textarea') || readOnly()) return;
    event.preventDefault();
    paste(event.clipboardData.getData('text/plain'), true, 'grid');
  });
  const KEYS = { v: 'select', b: 'add', c: 'connect', x: 'delete' };
  document.addEventListener('keydown', function (event) {
    if (!document.querySelector('[data-draw-strip]') || document.querySelector('[data-dialog]:not([hidden])')) return;
    const target = event.target;
    if (event.key === 'Enter' && target.matches && target.matches('input') && target.closest('[data-draw-form]')) { apply(); return; }
    if (headroom.typing(target) || (target.closest && target.closest('.hr-popover'))) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === 'z') { event.preventDefault(); act(event.shiftKey ? 'redo' : 'undo'); }
      else if (key === 'y') { event.preventDefault(); act('redo'); }
      return;
    }
    if (event.altKey) return;
    if (KEYS[key]) choose(KEYS[key]);
    else if (key === 'f') fit();
    else if (event.key === 'Escape') { lift(); choose('select'); }
    else if (event.key === 'Delete' || event.key === 'Backspace') { event.preventDefault(); act('delete'); }
    else if (event.key === 'Enter' && tool === 'add' && target.matches && target.matches('[data-draw-canvas]')) {
      const cy = cyOf();
      if (cy) { const box = cy.extent(), n = cy.nodes().length; edit({ type: 'add-bus', x: round((box.x1 + box.x2) / 2 + 60 * (n % 5)), y: round((box.y1 + box.y2) / 2 + 60 * Math.floor(n / 5)) }); }
    }
  });

  // Functions that callbacks name ---------------------------------------------------------------------------------------
  window.dash_clientside.headroom_draw = {
    answered: function (ack) { answered(ack); return NO(); },
    canvas: function (elements) {
      painted = painted || { data: null, layer: null };
      painted.elements = elements;
      const cy = cyOf();
      if (cy && cy.scratch('headroom')) window.setTimeout(function () { shown(cy); }, 0);
      return NO();
    },
    layers: function (data, layer) {
      painted = Object.assign(painted || { elements: null }, { data: data, layer: layer });
      paint();
      return NO();
    },
    selected: function (element) {
      const before = selection;
      selection = element || null;
      const cy = cyOf();
      if (cy && onCanvas()) { cy.elements(':selected').unselect(); if (selection) cy.getElementById(selection).select(); }
      if (!onCanvas() && selection && selection !== before) {
        if (tool === 'connect' && kindOf(selection) === 'bus') reach(idOf(selection));
        else if (tool === 'delete') remove(selection);
      }
      handle();
      return NO();
    },
    cell: function (changes, id) {
      if (!changes || !changes.length) return NO();
      const name = id.replace(/^network-|-grid$/g, '');
      const cells = changes.filter(function (c) { return c.oldValue !== c.value; })
        .map(function (c) { return [String(c.rowId), c.colId, c.value === undefined ? null : c.value]; });
      if (cells.length) edit({ type: 'edit-cells', table: name, cells: cells }, 'grid');
      return NO();
    },
    tab: function (name) {
      document.querySelectorAll('[data-draw-table]').forEach(function (panel) { panel.hidden = panel.dataset.drawTable !== name; });
      document.querySelectorAll('[data-draw-tools]').forEach(function (part) { part.hidden = part.dataset.drawTools !== name; });
      return NO();
    },
    // A problem: its element is selected, its table opens, its cell gets the focus.
    problem: function (rows) {
      if (!rows || !rows.length || !rows[0].table) return NO();
      const row = rows[0], kind = { buses: 'bus', branches: 'branch', units: 'unit' }[row.table];
      headroom.setProps('network-tab', { value: row.table });
      if (row.element) window.setTimeout(function () { headroom.select(PAGE, kind + ':' + row.element); }, 0);
      let tries = 30;
      (function focus() {
        const api = grid(row.table), node = api && row.element ? api.getRowNode(row.element) : null;
        if (!node) { if ((tries -= 1) > 0) window.setTimeout(focus, 100); return; }
        api.ensureIndexVisible(node.rowIndex, 'middle');
        const column = row.column && api.getColumn(row.column) ? row.column : api.getColumns()[0].getColId();
        api.ensureColumnVisible(column);
        api.setFocusedCell(node.rowIndex, column);
      })();
      return NO();
    },
  };
  headroom.draw = { send: send, choose: choose, fit: fit };
})();
