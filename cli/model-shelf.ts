import type { Model } from '../core/index.js';
import { during } from './exit-codes.js';

/** Loads each model of a run once, and disposes of all in the end. */
export class ModelShelf {
  readonly #load: (id: string) => Promise<Model>;
  readonly #models = new Map<string, Promise<Model>>();

  constructor(load: (id: string) => Promise<Model>) {
    this.#load = load;
  }

  async get(id: string): Promise<Model> {
    const model = this.#models.get(id) ?? this.#load(id);
    this.#models.set(id, model);
    return during('model', model);
  }

  async dispose(): Promise<void> {
    // A model that could not be loaded was reported when it was asked for.
    await Promise.all(
      [...this.#models.values()].map((model) =>
        model.then(
          (loaded) => loaded.dispose(),
          () => undefined,
        ),
      ),
    );
    this.#models.clear();
  }
}
