package teams

// Remembered is how many activities are known again.
func (h *Handler) Remembered() int {
	h.first.mu.Lock()
	defer h.first.mu.Unlock()
	return max(len(h.first.known), len(h.first.order))
}
