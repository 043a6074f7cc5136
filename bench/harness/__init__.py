"""The end-to-end benchmark: the same work for elbow and for other proxies, measured alike."""
