"""The formula of task 3.2.1 against counting."""

import numpy as np
import pytest

from ann_keras.models.cnn import convolution_size


def test_convolution_size_counts_the_places_of_the_kernel():
    for size, kernel, padding, stride in np.ndindex(9, 6, 3, 4):
        size, kernel, stride = size + 1, kernel + 1, stride + 1
        padded = size + 2 * padding
        places = [start for start in range(0, padded, stride) if start + kernel <= padded]
        if places:
            assert convolution_size(size, kernel, padding, stride) == len(places)
        else:
            with pytest.raises(ValueError, match="larger than the padded input"):
                convolution_size(size, kernel, padding, stride)
