"""What quantities are worth, however they are written."""
from fractions import Fraction

import pytest

from kubespawner.kube.quantities import value_of


@pytest.mark.parametrize('same', [
    ['10Gi', '10240Mi', '10737418240', 10737418240, '10485760Ki', '10737418240000m', ' 10Gi '],
    ['1G', '1000M', '1e9', '1E9', '1.0e+9', '1000000k', '.001T', '1000000000000m'],
    ['1E', '1000P', '1e18'],
    ['0.5', '500m', '500000u', '500000000n', '5e-1'],
    ['-1', '-1000m'], ['+2', '2.', 2],
])
def test_quantities_that_mean_the_same_are_worth_the_same(same):
    assert len({value_of(quantity) for quantity in same}) == 1 and value_of(same[0]) is not None


def test_binary_and_decimal_suffixes_differ():
    assert value_of('1G') < value_of('1Gi') and value_of('999Mi') < value_of('1Gi') and value_of('1Ei') > value_of('1E')
    assert value_of('0.1') == Fraction(1, 10)


@pytest.mark.parametrize('broken', ['', 'x', '10 Gi', '1gi', '1K', '1ki', 'Gi', '1e', '1e999999999', '1Gii', None,
                                    True, [], '\u0661'])
def test_what_is_no_quantity_is_worth_nothing(broken):
    assert value_of(broken) is None
