// Drawing on the map of the Network page: a press adds a bus, two presses connect, a grip moves the selected bus.
(function () {
  'use strict';
  const headroom = window.headroom, draw = headroom.draw;
  let held = null, grip = null;

  function ready() {
    const s = draw.mapState();
    if (!s || !s.map || draw.onCanvas() || held === s.map) return;
    held = s.map;
    grip = null;
    s.map.on('click', function (event) {
      if (draw.tool !== 'add') { if (draw.tool === 'connect') draw.lift(); return; }
      draw.edit(Object.assign({ type: 'add-bus' }, place(event.latlng)));
    });
    draw.choose(draw.tool);
  }
  function geographic() {
    const holder = document.querySelector('[data-draw-map]');
    return Boolean(holder && holder.dataset.drawMap === 'geographic');
  }
  function place(at) {
    if (geographic()) return { longitude: Number(at.lng.toFixed(5)), latitude: Number(at.lat.toFixed(5)) };
    return { x: draw.round(at.lng), y: draw.round(-at.lat) };
  }
  // A bus is one dot of a canvas and cannot be dragged; the selected one gets a grip that can.
  draw.grip = function () {
    const s = draw.mapState();
    if (grip) { grip.remove(); grip = null; }
    if (!s || !s.map || draw.onCanvas() || draw.readOnly() || draw.tool !== 'select' || draw.kindOf(draw.selection) !== 'bus') return;
    const bus = draw.idOf(draw.selection), layer = s.buses.get(bus);
    if (!layer) return;
    grip = new window.L.Marker(layer.getLatLng(), {
      draggable: true, keyboard: false, autoPan: true,
      icon: new window.L.DivIcon({ className: 'hr-draw-grip', iconSize: [22, 22] }), title: 'Drag to move bus ' + bus,
    });
    grip.on('dragend', function () {
      const at = place(grip.getLatLng());
      const spot = geographic() ? [bus, at.longitude, at.latitude] : [bus, at.x, at.y];
      draw.edit({ type: 'move', places: [spot], geographic: geographic() });
    });
    grip.addTo(s.map);
  };
  // The map comes when its script has, and comes anew with its pane: looked for, not waited for.
  window.setInterval(function () { if (document.querySelector('[data-draw-map]:not([hidden])')) ready(); }, 400);
  document.addEventListener('headroom:map', function (event) { if (event.detail.page === draw.PAGE) { ready(); draw.grip(); } });
})();
