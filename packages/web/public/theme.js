// Runs before the first paint, so that a stored theme never flashes. A file of its own: the page
// then needs no exception from a content security policy that forbids inline scripts.
(() => {
  let choice = null;
  try {
    choice = localStorage.getItem('thalweg.theme');
  } catch {
    // Storage is forbidden: the system's theme it is.
  }
  const system = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  document.documentElement.dataset.theme =
    choice === 'light' || choice === 'dark' ? choice : system;
})();
