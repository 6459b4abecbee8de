// The drawing canvas of the Network page (cytoscape): its look, its gestures, its places.
(function () {
  'use strict';
  const headroom = window.headroom, draw = headroom.draw, css = draw.css;
  const LARGEST_ZOOM = 1.6; // that "fit" goes to
  let extension = null, handles = null, size = 1;

  function sheet() {
    const text = { 'font-family': 'IBM Plex Sans, sans-serif', 'text-background-color': css('ground') };
    return [
      { selector: 'node', style: Object.assign({
        label: 'data(label)', width: 18, height: 18, 'background-color': css('bus'), 'border-width': 2, 'border-color': css('surface'),
        color: css('text'), 'font-size': 12 * size, 'text-valign': 'bottom', 'text-margin-y': 5,
        'text-background-opacity': 0.8, 'text-background-padding': 1, 'min-zoomed-font-size': 8 }, text) },
      { selector: 'node[load = 1]', style: { shape: 'ellipse', 'background-color': css('text') } },
      { selector: 'node[units = 1]', style: { shape: 'diamond', width: 24, height: 24, 'background-color': css('fine') } },
      { selector: 'node[slack = 1]', style: { 'border-width': 4, 'border-color': css('ink') } },
      { selector: 'node[off = 1]', style: { 'background-opacity': 0.3 } },
      { selector: 'edge', style: Object.assign({
        width: 2.5, 'line-color': css('branch'), 'curve-style': 'bezier', label: 'data(label)', 'font-size': 11 * size, color: css('text'),
        'text-background-opacity': 1, 'text-background-padding': 2, 'min-zoomed-font-size': 9.5 }, text) },
      { selector: 'edge[transformer = 1]', style: { 'line-style': 'dashed', 'line-dash-pattern': [12, 3] } },
      { selector: 'edge[off = 1]', style: { 'line-style': 'dotted', 'line-opacity': 0.5 } },
      { selector: '[paint]', style: { 'background-color': 'data(paint)' } },
      { selector: 'edge[paint]', style: { 'line-color': 'data(paint)', width: 4 } },
      { selector: '[told]', style: { label: 'data(told)', 'text-wrap': 'wrap' } },
      { selector: 'edge[binds = 1]', style: { 'line-color': css('binding'), width: 8 } },
      { selector: ':selected', style: { 'overlay-color': css('candidate'), 'overlay-opacity': 0.35, 'overlay-padding': 7 } },
      { selector: 'edge.member', style: { 'overlay-color': css('candidate'), 'overlay-opacity': 0.35, 'overlay-padding': 7 } },
      { selector: 'node.first', style: { 'border-width': 5, 'border-color': css('candidate') } },
      { selector: 'edge.eh-preview, edge.eh-ghost-edge', style: { 'line-color': css('candidate'), 'target-arrow-shape': 'none', label: '', width: 3 } },
      { selector: '.eh-target, .eh-source', style: { 'border-width': 5, 'border-color': css('candidate') } },
      { selector: '.eh-ghost-edge.eh-preview-active', style: { opacity: 0 } },
      { selector: 'node.eh-ghost', style: { opacity: 0, label: '' } },
    ];
  }
  function restyle(cy) { cy.style().fromJson(sheet()).update(); }
  // Words keep about their size on the screen while the drawing is a little smaller or larger.
  function resize(cy) {
    const wanted = Math.min(1.6, Math.max(0.7, 1 / cy.zoom()));
    if (Math.abs(wanted - size) < 0.08) return;
    size = wanted;
    restyle(cy);
  }

  draw.canvasTool = function (name) {
    const cy = draw.cyOf();
    if (!cy) return;
    cy.autoungrabify(name !== 'select' || draw.readOnly());
    if (handles) { if (name === 'connect') handles.enableDrawMode(); else handles.disableDrawMode(); }
  };
  draw.fit = function () {
    if (!draw.onCanvas()) {
      const button = document.querySelector('[data-map-zoom="fit"][data-map-page="network"]');
      if (button) button.click();
      return;
    }
    const cy = draw.cyOf();
    if (!cy || !cy.nodes().length) return;
    cy.resize();
    cy.fit(undefined, 44);
    if (cy.zoom() > LARGEST_ZOOM) { cy.zoom(LARGEST_ZOOM); cy.center(); }
    resize(cy);
  };
  // After Python has drawn: places are those it holds, also after a refused move, and the selection is kept.
  draw.shown = function (cy) {
    const held = draw.painted && draw.painted.elements;
    if (held && !draw.busy()) {
      cy.batch(function () {
        held.forEach(function (element) {
          if (!element.position) return;
          const node = cy.getElementById(element.data.id);
          if (node.nonempty() && !node.grabbed()) node.position({ x: element.position.x, y: element.position.y });
        });
      });
    }
    const count = cy.nodes('[id ^= "bus:"]').length, before = cy.scratch('count') || 0;
    cy.scratch('count', count);
    if (count > before + 1) draw.fit(); // many at once, pasted or undone: wherever they are, they are seen
    cy.elements(':selected').unselect();
    if (draw.selection) cy.getElementById(draw.selection).select();
    draw.markMembers(cy);
    draw.paint();
  };
  draw.members = []; // branches of the interface or outage that is selected
  draw.markMembers = function (cy) {
    cy.batch(function () {
      cy.edges('.member').removeClass('member');
      draw.members.forEach(function (id) { cy.getElementById('branch:' + id).addClass('member'); });
    });
  };

  // Cytoscape comes when its script has, and comes anew when its pane is drawn again: looked for, not waited for.
  window.setInterval(function () { if (document.querySelector('[data-draw-canvas]:not([hidden])')) setUp(); }, 150);
  function setUp() {
    const cy = draw.cyOf();
    if (!cy || cy.scratch('headroom') || !headroom.theme) return;
    cy.scratch('headroom', true);
    handles = null;
    size = 1;
    restyle(cy);
    if (!draw.readOnly()) connectable(cy);
    gestures(cy);
    keepMiddle(cy);
    draw.choose(cy.nodes().length ? 'select' : 'add'); // an empty canvas waits for its first bus
    draw.shown(cy);
  }
  function connectable(cy) {
    if (!extension) window.cytoscapeEdgehandles(function (type, name, body) { extension = body; });
    handles = extension.call(cy, {
      snap: true, snapThreshold: 30, noEdgeEventsInDraw: true, disableBrowserGestures: false,
      canConnect: function (source, target) { return source.id() !== target.id() && source.isNode() && target.isNode(); },
      edgeParams: function () { return { data: { label: '', transformer: 0, off: 0 } }; },
    });
    cy.on('ehcomplete', function (event, source, target, added) {
      added.remove(); // what is drawn is what Python says
      draw.lift();
      draw.edit({ type: 'connect', from_bus: draw.idOf(source.id()), to_bus: draw.idOf(target.id()) });
    });
  }
  function gestures(cy) {
    const several = function (event) { return event.originalEvent && (event.originalEvent.shiftKey || event.originalEvent.ctrlKey); };
    cy.on('tap', function (event) {
      if (event.target !== cy) return;
      if (draw.tool === 'add') draw.edit({ type: 'add-bus', x: draw.round(event.position.x), y: draw.round(event.position.y) });
      else { draw.lift(); headroom.select(draw.PAGE, null); }
    });
    cy.on('tap', 'node, edge', function (event) {
      const element = event.target.id(), kind = draw.kindOf(element);
      if (kind !== 'bus' && kind !== 'branch') return;
      if (draw.tool === 'connect' && kind === 'bus') draw.reach(draw.idOf(element));
      else if (draw.tool === 'delete') draw.remove([element]);
      else if (!several(event)) headroom.select(draw.PAGE, element);
    });
    let told = null;
    cy.on('select unselect', function () {
      window.clearTimeout(told);
      told = window.setTimeout(function () {
        const many = cy.destroyed() ? 0 : cy.elements(':selected').length;
        if (many > 1) headroom.setProps('network-message', { children: many + ' selected: drag moves them, Del deletes them' });
      }, 100);
    });
    let dropped = [];
    cy.on('dragfree', 'node', function (event) {
      const at = event.target.position();
      dropped.push([draw.idOf(event.target.id()), draw.round(at.x), draw.round(at.y)]);
      if (dropped.length > 1) return;
      window.setTimeout(function () { const places = dropped; dropped = []; draw.edit({ type: 'move', places: places }); }, 0);
    });
    let zoomed = null;
    cy.on('zoom', function () {
      window.clearTimeout(zoomed);
      zoomed = window.setTimeout(function () { if (!cy.destroyed()) resize(cy); }, 120);
    });
  }
  function keepMiddle(cy) {
    let width = 0, height = 0;
    const watch = new ResizeObserver(function () {
      const box = cy.destroyed() ? null : cy.container();
      if (!box || !box.isConnected) { watch.disconnect(); return; }
      if (!box.clientWidth || (box.clientWidth === width && box.clientHeight === height)) return;
      cy.resize();
      if (!width) draw.fit(); else cy.panBy({ x: (box.clientWidth - width) / 2, y: (box.clientHeight - height) / 2 });
      width = box.clientWidth;
      height = box.clientHeight;
    });
    watch.observe(cy.container());
  }
  document.addEventListener('headroom:theme', function () {
    const cy = draw.cyOf();
    if (cy) { restyle(cy); draw.paint(); }
  });
})();
