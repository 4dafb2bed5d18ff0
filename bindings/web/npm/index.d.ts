/** The folder of wspeer.h and wspeer.hpp. */
export declare const include: string;
/** The JavaScript libraries for `emcc --js-library`. All of them are needed, in any order. */
export declare const libraries: string[];
/** Functions of the program that the libraries call, as Emscripten names them. */
export declare const functions: string[];
/** Flags for compiling C or C++ that includes wspeer.h. */
export declare function compileFlags(): string[];
/**
 * Flags for linking.
 * @param exported Functions that the page calls, as Emscripten names them; by default `_main`.
 */
export declare function linkFlags(exported?: string[]): string[];
