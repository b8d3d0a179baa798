declare const brand: unique symbol;

/** A primitive that cannot be mixed up with another of the same shape. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };
