// The comparison of two settings: a bus named in its inspector is selected like one on the map.
document.addEventListener('click', function (event) {
  const link = event.target.closest && event.target.closest('[data-difference-select]');
  if (link) window.headroom.select('difference', link.getAttribute('data-difference-select'));
});
