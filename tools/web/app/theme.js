// Sets the theme that a person chose, before anything is painted.
{
  const theme = localStorage.getItem('karcis.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}
