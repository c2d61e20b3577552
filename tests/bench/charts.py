"""The charts: SVG, written by hand, so that they need no library and stay small. Pure but for `write`.

`scale.svg`: the longest stall, and the CPU, of loading the pods that are there already, over their number.
`lag.svg`: how long after its pod was ready each start returned, as a distribution.
"""
import math
import os
from statistics import median

WIDTH, HEIGHT = 380, 280  # of a panel, with its labels
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 34, 44  # margins in it
COLORS = {'bare': '#8a8a8a', 'project': '#d1495b'}
OTHERS = ['#2e6f9e', '#e0a030', '#5b8c5a', '#7d5ba6']


class Panel:
    """One diagram with axes.

    x, y: (smallest, largest) of each axis. `logarithmic_y` False makes the vertical axis linear.
    """

    def __init__(self, title, x_label, x, y, logarithmic_y=True):
        self.title, self.x_label, self.x, self.y, self.logarithmic_y = title, x_label, x, y, logarithmic_y

    def place(self, x, y):
        """Return where a point is, in pixels."""
        across = _share(x, self.x, True)
        up = _share(y, self.y, self.logarithmic_y)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def draw(self, curves, x_ticks, y_ticks, dots):
        """Return the diagram as SVG. `curves` is a list of (color, points)."""
        parts = [_text(LEFT, 18, self.title, 'start', weight='bold'),
                 _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, self.x_label, 'middle')]
        for value, label in x_ticks:
            x, y = self.place(value, self.y[0])
            parts += [_line(x, TOP, x, y, '#e4e4e4'), _text(x, y + 16, label, 'middle')]
        for value, label in y_ticks:
            x, y = self.place(self.x[0], value)
            parts += [_line(x, y, WIDTH - RIGHT, y, '#e4e4e4'), _text(x - 6, y + 4, label, 'end')]
        for color, points in curves:
            placed = [self.place(*point) for point in points]
            parts.append('<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>' % (
                color, ' '.join('%.1f,%.1f' % point for point in placed)))
            parts += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (x, y, color)
                      for x, y in (placed if dots else [])]
        return '\n'.join(parts)


def _share(value, ends, logarithmic):
    low, high = ends
    value = min(max(value, low), high)
    if logarithmic:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


def _text(x, y, text, anchor, weight='normal', color='#333'):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" font-weight="%s" fill="%s">%s</text>' % (
        x, y, anchor, weight, color, text)


def _line(x1, y1, x2, y2, color):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>' % (x1, y1, x2, y2, color)


def picture(panels, subjects):
    """Return an SVG document: panels side by side, and below them which color is whose."""
    width = WIDTH * len(panels)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" '
             'font-size="11">' % (width, HEIGHT + 28), '<rect width="100%" height="100%" fill="white"/>']
    for i, panel in enumerate(panels):
        parts.append('<g transform="translate(%d 0)">\n%s\n</g>' % (i * WIDTH, panel))
    for i, (subject, color) in enumerate(subjects.items()):
        x = LEFT + i * 80
        parts += ['<rect x="%d" y="%d" width="14" height="4" fill="%s"/>' % (x, HEIGHT + 8, color),
                  _text(x + 19, HEIGHT + 14, subject, 'start')]
    return '\n'.join(parts + ['</svg>']) + '\n'


def _colors(results, records):
    """Return {subject: color} of all that these records are about."""
    order = ['bare'] + results['options']['against'] + ['project']
    others = iter(OTHERS * len(order))
    drawn = {subject: COLORS.get(subject) or next(others) for subject in order}
    return {subject: drawn[subject] for subject in order if any(r['subject'] == subject for r in records)}


def decades(low, high, unit=''):
    """Return the powers of ten that enclose low and high, and a tick for each: (ends, ticks)."""
    first = math.floor(math.log10(low))
    last = max(first + 1, math.ceil(math.log10(high)))
    ticks = [10.0 ** i for i in range(first, last + 1)]
    return (ticks[0], ticks[-1]), [(tick, '{:,.10g}{}'.format(tick, unit)) for tick in ticks]


def _selected(results, scenario):
    return [record for record in results['records'] if record['scenario'] == scenario]


def scale(results):
    """Return scale.svg, or None if that was not measured."""
    records = _selected(results, 'scale')
    if not records:
        return None
    subjects = _colors(results, records)
    sizes = sorted({record['pods'] for record in records} - {0})
    panels = []
    for name, title in (('stall', 'Longest stall of the IOLoop while loading'), ('cpu', 'CPU to load')):
        curves = [(color, [(pods, max(1e-4, median(
            r['measured'][name] for r in records if r['subject'] == subject and r['pods'] == pods)))
            for pods in sizes]) for subject, color in subjects.items()]
        values = [value for _, points in curves for _, value in points]
        y, y_ticks = decades(min(values), max(values), ' s')
        panel = Panel(title, 'pods that are there', (sizes[0] * 0.8, sizes[-1] * 1.25), y)
        panels.append(panel.draw(curves, [(pods, '{:,}'.format(pods)) for pods in sizes], y_ticks, dots=True))
    return picture(panels, subjects)


def lag(results):
    """Return lag.svg, or None if that was not measured; with several numbers in flight, of the one nearest to 100."""
    records = _selected(results, 'spawns')
    if not records:
        return None
    in_flight = min((record['in_flight'] for record in records), key=lambda number: abs(number - 100))
    subjects = _colors(results, records)
    curves = []
    for subject, color in subjects.items():
        lags = sorted(lag for r in records if r['subject'] == subject and r['in_flight'] == in_flight
                      for lag in r['measured']['ready_lags'])
        curves.append((color, [(max(lag, 1e-3), (i + 1) / len(lags)) for i, lag in enumerate(lags)]))
    x, x_ticks = decades(1e-3, max(x for _, points in curves for x, _ in points), ' s')
    panel = Panel('start() has returned, %d starts at a time' % in_flight, 'since the pod was ready', x, (0, 1),
                  logarithmic_y=False)
    y_ticks = [(share / 100, '%d %%' % share) for share in (0, 25, 50, 75, 95, 100)]
    return picture([panel.draw(curves, x_ticks, y_ticks, dots=False)], subjects)


def write(results, directory):
    """Write the charts of what was measured into a directory."""
    for name, draw in (('scale.svg', scale), ('lag.svg', lag)):
        svg = draw(results)
        if svg is not None:
            with open(os.path.join(directory, name), 'w') as f:
                f.write(svg)
