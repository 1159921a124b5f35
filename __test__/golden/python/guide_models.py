"""The models of the three guides, by row of the checklist. Names follow the guides."""

import keras
from keras import layers, ops


def single_dense():
    x = keras.Input((784,))
    return keras.Model(x, layers.Dense(64, activation="relu")(x))


def single_dense_sequential():
    return keras.Sequential([keras.Input((784,)), layers.Dense(64, activation="relu")])


def mlp():
    inputs = keras.Input((32,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = layers.Dense(32, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def mlp_sequential():
    return keras.Sequential(
        [
            keras.Input((32,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def ticket_priority():
    text = keras.Input((None,), dtype="int32", name="text")
    metadata = keras.Input((5,), dtype="float32", name="metadata")
    text_features = layers.LSTM(32)(layers.Embedding(10000, 64)(text))
    metadata_features = layers.Dense(16, activation="relu")(metadata)
    combined = layers.Concatenate()([text_features, metadata_features])
    return keras.Model([text, metadata], layers.Dense(1, activation="sigmoid", name="priority")(combined))


def class_and_box():
    image = keras.Input((128, 128, 3), name="image")
    x = layers.Conv2D(32, 3, activation="relu")(image)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    label = layers.Dense(10, activation="softmax", name="class_label")(x)
    return keras.Model(image, [label, layers.Dense(4, name="bounding_box")(x)])


def _two_texts():
    return (keras.Input((None,), dtype="int32", name=n) for n in ("text_a", "text_b"))


def siamese():
    a, b = _two_texts()
    embed = layers.Embedding(10000, 128, name="shared_embed")
    encoded_a, encoded_b = embed(a), embed(b)
    vector_a = layers.LSTM(64, name="lstm")(encoded_a)
    vector_b = layers.LSTM(64, name="lstm_b")(encoded_b)
    joined = layers.Concatenate()([vector_a, vector_b])
    return keras.Model([a, b], layers.Dense(1, activation="sigmoid", name="similarity")(joined))


def siamese_cosine():
    a, b = _two_texts()
    embed = layers.Embedding(10000, 128, name="shared_embed")
    lstm = layers.LSTM(64, name="lstm")
    vectors = [lstm(embed(a)), lstm(embed(b))]
    return keras.Model([a, b], layers.Dot(axes=1, normalize=True, name="similarity")(vectors))


def residual():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(inputs)
    skip = x
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(64, 3, padding="same")(x)
    x = layers.Add()([x, skip])
    x = layers.Activation("relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def add_ons():
    inputs = keras.Input((32,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = layers.Dropout(0.5)(x)
    x = layers.BatchNormalization()(x)
    merged = layers.Add()([layers.Dense(64)(x), layers.Dense(64)(x)])
    joined = layers.Concatenate()([merged, layers.Dense(32)(inputs)])
    return keras.Model(inputs, [layers.Dense(10)(joined), layers.Dense(1)(joined)])


def mnist_mlp():
    inputs = keras.Input((784,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10)(x), name="mnist_model")


def _encoder_layers(x):
    x = layers.Conv2D(16, 3, activation="relu")(x)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.Conv2D(16, 3, activation="relu")(x)
    return layers.GlobalMaxPooling2D()(x)


def _decoder_layers(x):
    x = layers.Reshape((4, 4, 1))(x)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu")(x)
    x = layers.UpSampling2D(3)(x)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    return layers.Conv2DTranspose(1, 3, activation="relu")(x)


def one_graph_two_models():
    image = keras.Input((28, 28, 1), name="img")
    code = _encoder_layers(image)
    encoder = keras.Model(image, code, name="encoder")
    return encoder, keras.Model(image, _decoder_layers(code), name="autoencoder")


def nested_autoencoder():
    original = keras.Input((28, 28, 1), name="original_img")
    encoder = keras.Model(original, _encoder_layers(original), name="encoder")
    code = keras.Input((16,), name="encoded_img")
    decoder = keras.Model(code, _decoder_layers(code), name="decoder")
    image = keras.Input((28, 28, 1), name="img")
    return encoder, decoder, keras.Model(image, decoder(encoder(image)), name="autoencoder")


def ensemble():
    def member():
        inputs = keras.Input((128,))
        return keras.Model(inputs, layers.Dense(1)(inputs))

    members = [member() for _ in range(3)]
    inputs = keras.Input((128,))
    return keras.Model(inputs, layers.average([m(inputs) for m in members]))


def tickets():
    title, body = keras.Input((None,), name="title"), keras.Input((None,), name="body")
    tags = keras.Input((12,), name="tags")
    title_features = layers.Embedding(10000, 64)(title)
    body_features = layers.Embedding(10000, 64)(body)
    title_features = layers.LSTM(128)(title_features)
    body_features = layers.LSTM(32)(body_features)
    x = layers.concatenate([title_features, body_features, tags])
    priority = layers.Dense(1, name="priority")(x)
    department = layers.Dense(4, name="department")(x)
    return keras.Model(inputs=[title, body, tags], outputs={"priority": priority, "department": department})


def toy_resnet():
    inputs = keras.Input((32, 32, 3), name="img")
    x = layers.Conv2D(32, 3, activation="relu")(inputs)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    block_1 = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(block_1)
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
    block_2 = layers.add([x, block_1])
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(block_2)
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
    block_3 = layers.add([x, block_2])
    x = layers.Conv2D(64, 3, activation="relu")(block_3)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(10)(x), name="toy_resnet")


def shared_embedding():
    embed = layers.Embedding(1000, 128)
    a, b = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    return keras.Model([a, b], [embed(a), embed(b)])


def vgg19(include_top):
    return keras.applications.VGG19(weights=None, include_top=include_top)


class CustomDense(layers.Layer):
    def __init__(self, units=32, **options):
        super().__init__(**options)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True, name="w"
        )
        self.b = self.add_weight(shape=(self.units,), initializer="random_normal", trainable=True, name="b")

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def custom_dense():
    inputs = keras.Input((4,))
    return keras.Model(inputs, CustomDense(10)(inputs))


def feature_model():
    model = mnist_mlp()
    return keras.Model(model.inputs, [layer.output for layer in model.layers[1:]], name="features")


def mlp_32_64_10():
    inputs = keras.Input((32,))
    x = layers.Dense(64, activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(10)(x))


class SubclassedMlp(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.dense_1 = layers.Dense(64, activation="relu")
        self.dense_2 = layers.Dense(10)

    def call(self, inputs):
        return self.dense_2(self.dense_1(inputs))


def mlp_32_64_10_sequential():
    return keras.Sequential([keras.Input((32,)), layers.Dense(64, activation="relu"), layers.Dense(10)])
