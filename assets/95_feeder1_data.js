// The feeder's one-line diagram: values of every layer, case and hour as components/feeder_diagram.py packs them,
// their scales and their colours.
(function () {
  'use strict';
  const feeder = (window.headroomFeeder = window.headroomFeeder || {});
  const RAMPS = { // as those of the map: what is more stands out more on each ground
    light: ['#efd94a', '#c8b866', '#948e77', '#666970', '#35456c', '#00224e'],
    dark: ['#24478f', '#4d6196', '#7c7f88', '#a8a286', '#d3c26d', '#fee838'],
  };
  const CHANGES = {
    light: ['#5e3c99', '#9a86c2', '#cbc3e0', '#f3f1f6', '#fad3a1', '#ee9c43', '#c8670d'],
    dark: ['#a98be0', '#8670b8', '#5b4f7d', '#39434b', '#7d5a2c', '#c07d33', '#f2a04e'],
  };
  // A price and its parts: of active power, and with this before the key of reactive power.
  const KINDS = { price: '', reactive: 'q_' };
  const PARTS = { energy: 'energy', loss: 'loss', response: 'response', voltage: 'limits', congestion: 'congestion' };
  const THIN = '\u2009', MINUS = '\u2212';

  // Values -----------------------------------------------------------------------------------------------
  function unpacked(told) {
    const bytes = Uint8Array.from(window.atob(told.b), function (c) { return c.charCodeAt(0); });
    const whole = new Int16Array(bytes.buffer), hours = told.o.length, rows = [];
    for (let hour = 0; hour < hours; hour += 1) {
      const row = new Float64Array(told.k);
      for (let at = 0; at < told.k; at += 1) {
        const value = whole[hour * told.k + at];
        row[at] = value === -32768 ? NaN : told.o[hour] + told.s[hour] * value;
      }
      rows.push(row);
    }
    return rows;
  }

  // What a drawing holds, with its matrices unpacked once and what is asked of them kept.
  feeder.opened = function (drawing) {
    const cases = {};
    Object.keys(drawing.cases).forEach(function (name) {
      const values = {};
      Object.keys(drawing.cases[name].values).forEach(function (key) { values[key] = unpacked(drawing.cases[name].values[key]); });
      cases[name] = { energy: drawing.cases[name].energy, q_energy: drawing.cases[name].q_energy, values: values };
    });
    const known = {};
    const size = drawing.nodes.length;

    function summed(one, hour, keys) {
      const row = new Float64Array(size);
      keys.forEach(function (key) {
        const same = one[key] ? one[key][hour] : 0, part = one.values[key] && one.values[key][hour]; // energy is one number
        for (let at = 0; at < size; at += 1) row[at] += part ? part[at] : same;
      });
      return row;
    }
    function row(name, layer, hour) {
      const one = cases[name];
      if (layer === 'linear') {
        const ac = one.values.voltage[hour], off = one.values.error[hour];
        return ac.map(function (value, at) { return value + off[at]; });
      }
      const told = layer.split('_'), sign = KINDS[told[0]];
      if (sign !== undefined) {
        const keys = told.length > 1 ? [PARTS[told[1]]] : Object.values(PARTS);
        return summed(one, hour, keys.map(function (key) { return sign + key; }));
      }
      return one.values[layer] ? one.values[layer][hour] : null;
    }
    const held = {
      drawing: drawing,
      names: Object.keys(cases),
      // Values of a layer in an hour: of a case, or "difference", with SVG less without.
      values: function (name, layer, hour) {
        const key = name + '|' + layer + '|' + hour;
        if (known[key] !== undefined) return known[key];
        if (name !== 'difference') return (known[key] = row(name, layer, hour));
        const on = held.values('on', layer, hour), off = held.values('off', layer, hour);
        return (known[key] = on && off ? on.map(function (value, at) { return value - off[at]; }) : null);
      },
      ends: function (name, layer, hour) { // lowest and highest
        let low = Infinity, high = -Infinity;
        (held.values(name, layer, hour) || []).forEach(function (value) {
          if (value < low) low = value;
          if (value > high) high = value;
        });
        return [low, high];
      },
    };
    return held;
  };

  // Scales and colours -------------------------------------------------------------------------------------
  function rounded(low, high) {
    const span = high - low;
    const raw = span / 10, power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 2.5, 5, 10].find(function (m) { return m * power >= raw * 0.999; }) * power;
    return [Math.floor(low / step + 0.01) * step, Math.ceil(high / step - 0.01) * step];
  }
  // One scale for all panes: of the day or of one hour; symmetric about zero where signs matter.
  feeder.scale = function (held, names, layer, hour) {
    const told = held.drawing.layers[layer];
    const hours = hour === null ? held.drawing.labels.map(function (_, at) { return at; }) : [hour];
    let low = Infinity, high = -Infinity;
    names.forEach(function (name) {
      hours.forEach(function (at) {
        const ends = held.ends(name, layer, at);
        low = Math.min(low, ends[0]);
        high = Math.max(high, ends[1]);
      });
    });
    if (!(high >= low)) return { none: true, ramp: 'magnitude', low: 0, high: 1 };
    const least = Math.pow(10, -told.digits) * 0.5;
    const change = names[0] === 'difference' || (told.signed && low < -0.02 * Math.max(high, 0) && low < -least);
    if (change) {
      const most = Math.max(Math.abs(low), Math.abs(high));
      if (most < least) return { flat: 0, ramp: 'change', low: -1, high: 1 };
      const end = rounded(0, most)[1];
      return { ramp: 'change', low: -end, high: end, least: low, most: high };
    }
    if (high - low < least) return { flat: (low + high) / 2, ramp: 'magnitude', low: low - 1, high: high + 1 };
    const ends = rounded(low, high);
    return { ramp: 'magnitude', low: ends[0], high: ends[1], least: low, most: high };
  };
  const mixed = {};
  function channels(colour) {
    if (!mixed[colour]) mixed[colour] = [1, 3, 5].map(function (at) { return parseInt(colour.slice(at, at + 2), 16); });
    return mixed[colour];
  }
  feeder.ramp = function (scale, theme) { return (scale.ramp === 'change' ? CHANGES : RAMPS)[theme]; };
  feeder.colour = function (scale, theme, value) {
    if (!isFinite(value)) return null;
    const colours = feeder.ramp(scale, theme);
    const place = Math.max(0, Math.min(1, (value - scale.low) / (scale.high - scale.low))) * (colours.length - 1);
    const at = Math.min(colours.length - 2, Math.floor(place)), rest = place - at;
    const one = channels(colours[at]), other = channels(colours[at + 1]);
    return 'rgb(' + one.map(function (c, k) { return Math.round(c + rest * (other[k] - c)); }).join(',') + ')';
  };

  feeder.written = function (value, digits) {
    if (!isFinite(value)) return '\u2013';
    const text = Math.abs(value).toFixed(digits), dot = text.indexOf('.');
    const whole = (dot < 0 ? text : text.slice(0, dot)).replace(/\B(?=(\d{3})+$)/g, THIN) + (dot < 0 ? '' : text.slice(dot));
    return value < 0 && /[1-9]/.test(text) ? MINUS + whole : whole;
  };
})();
