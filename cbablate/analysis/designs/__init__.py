"""What a design lets a study say: effects, components, screening, tasks, the best arms."""
