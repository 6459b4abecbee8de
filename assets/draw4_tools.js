// The drawing tools of the Network page, on the canvas and on the map alike: select, add, connect, delete.
(function () {
  'use strict';
  const draw = window.headroom.draw;
  const FIELDS = { bus: 'buses', branch: 'branches', unit: 'units', interface: 'interfaces', contingency: 'contingencies' };
  draw.FIELDS = FIELDS;
  let first = null; // the bus that a branch begins at, between two presses

  draw.tool = 'select';
  draw.choose = function (name) {
    if (draw.readOnly() && name !== 'select') return;
    draw.tool = name;
    draw.lift();
    document.querySelectorAll('[data-draw-tool]').forEach(function (button) {
      button.setAttribute('aria-pressed', String(button.dataset.drawTool === name));
    });
    const frame = document.querySelector('[data-map="network"]');
    if (frame) { if (name === 'select') frame.removeAttribute('data-drawing'); else frame.setAttribute('data-drawing', name); }
    const canvas = document.querySelector('[data-draw-canvas]');
    if (canvas) canvas.dataset.tool = name;
    draw.canvasTool(name);
    draw.grip();
  };
  // Lets go of a branch that was begun.
  draw.lift = function () {
    first = null;
    const cy = draw.cyOf();
    if (cy) cy.nodes().removeClass('first');
    const s = draw.mapState();
    if (s && s.startRing) { s.startRing.remove(); s.startRing = null; }
  };
  // One press on a bus while connecting: the first is remembered, the second closes the branch.
  draw.reach = function (bus) {
    if (first === null) {
      first = bus;
      const cy = draw.cyOf();
      if (cy && draw.onCanvas()) cy.getElementById('bus:' + bus).addClass('first');
      const s = draw.mapState();
      const layer = s && s.map && !draw.onCanvas() ? s.buses.get(bus) : null;
      if (layer) {
        s.startRing = new window.L.CircleMarker(layer.getLatLng(), { radius: 11, weight: 3, color: draw.css('candidate'), fill: false, interactive: false }).addTo(s.map);
      }
      return;
    }
    const start = first;
    draw.lift();
    if (start !== bus) draw.edit({ type: 'connect', from_bus: start, to_bus: bus });
  };
  // Takes elements out, "bus:5" and "branch:5-6" alike, in one edit.
  draw.remove = function (elements) {
    const event = { type: 'delete' };
    elements.forEach(function (element) {
      const field = FIELDS[draw.kindOf(element)];
      if (field) (event[field] = event[field] || []).push(draw.idOf(element));
    });
    if (Object.keys(event).length > 1) draw.edit(event);
  };
  draw.removeSelected = function () {
    const cy = draw.onCanvas() ? draw.cyOf() : null;
    const many = cy ? cy.elements(':selected').map(function (element) { return element.id(); }) : [];
    if (many.length > 1) draw.remove(many);
    else if (draw.selection) draw.remove([draw.selection]);
  };
})();
