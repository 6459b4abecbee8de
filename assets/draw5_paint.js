// What a layer paints on the drawing canvas, and its legend. The map paints itself (20_map.js), from the same data.
(function () {
  'use strict';
  const headroom = window.headroom, draw = headroom.draw;
  const MOST_LABELLED = 60; // buses, with a price under each name and a share at each branch
  const MOST_SPELT = 12; // buses, with room for the flow in words

  draw.paint = function () {
    const cy = draw.cyOf();
    if (!cy || !draw.painted || !draw.onCanvas()) return;
    const data = draw.painted.data, layer = data && data.layers[draw.painted.layer];
    const colour = function (number) { return headroom.layerColour(layer, number); };
    const binding = new Set(data ? data.bindingBranches : []);
    const buses = cy.nodes().length;
    cy.batch(function () {
      cy.nodes('[id ^= "bus:"]').forEach(function (node) { one(node, layer && layer.buses, layer && layer.busText); });
      cy.edges('[id ^= "branch:"]').forEach(function (edge) {
        one(edge, layer && layer.branches, layer && layer.branchText);
        edge.data('binds', binding.has(edge.data('i')) ? 1 : 0);
      });
    });
    function one(element, numbers, texts) {
      const i = element.data('i'), number = numbers ? numbers[i] : 0;
      if (number) element.data('paint', colour(number)); else element.removeData('paint');
      const text = texts ? texts[i] : null;
      if (!text || buses > MOST_LABELLED) element.removeData('told');
      else if (element.isNode()) element.data('told', element.data('label') + '\n' + text.split(':')[0]);
      else element.data('told', buses <= MOST_SPELT ? text : (/\d+ %/.exec(text) || [text])[0]);
    }
    const frame = document.querySelector('[data-draw-canvas]');
    frame.classList.toggle('hr-map-stale', Boolean(data && data.stale));
    legend(layer, colour, binding.size > 0);
  };

  function legend(layer, colour, binding) {
    const box = document.getElementById('network-canvas-legend');
    if (!box) return;
    const filled = layer && layer.labels.length && (layer.buses || layer.branches || []).some(Boolean);
    const parts = [];
    if (filled) {
      const title = document.createElement('p');
      title.className = 'hr-legend-title';
      title.textContent = layer.label + (layer.unit ? ', ' + layer.unit : '');
      const list = document.createElement('ul');
      layer.labels.forEach(function (words, i) { list.append(line(colour(i + 1), layer.buses ? 'dot' : 'line', words)); });
      if (binding) list.append(line(draw.css('binding'), 'line', 'binding branch'));
      parts.push(title, list);
    }
    if (layer && layer.note) {
      const note = document.createElement('p');
      note.className = 'hr-legend-note';
      note.textContent = layer.note;
      parts.push(note);
    }
    box.replaceChildren.apply(box, parts);
    box.hidden = !parts.length;
  }
  function line(fill, shape, words) {
    const item = document.createElement('li'), sign = document.createElement('span'), text = document.createElement('span');
    sign.className = 'hr-legend-mark';
    sign.dataset.shape = shape;
    sign.style.background = fill;
    text.textContent = words;
    item.append(sign, text);
    return item;
  }
})();
