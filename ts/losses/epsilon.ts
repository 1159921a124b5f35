/** What Keras's `backend.epsilon()` is: keeps logarithms and quotients finite. */
export const epsilon = 1e-7
