"""The project's speed, measured against named floors and peers on the same machine in the same run."""
