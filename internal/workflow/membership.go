package workflow

import (
	"sync"

	"elevate/internal/pim"
)

// membership remembers who belongs to groups, in memory only. What could not
// be read stays as it was.
type membership struct {
	mu sync.Mutex
	by map[pim.GroupID]map[pim.PrincipalID]bool
}

func (m *membership) set(g pim.GroupID, people []pim.Profile) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil {
		m.by = map[pim.GroupID]map[pim.PrincipalID]bool{}
	}
	ids := map[pim.PrincipalID]bool{}
	for _, p := range people {
		ids[p.ID] = p.Enabled
	}
	m.by[g] = ids
}

func (m *membership) has(g pim.GroupID, id pim.PrincipalID) bool {
	return m.certainly(g, id) == pim.Yes
}

// certainly also tells a group that was never read.
func (m *membership) certainly(g pim.GroupID, id pim.PrincipalID) pim.Certainty {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch ids, read := m.by[g]; {
	case !read:
		return pim.NotKnown
	case ids[id]:
		return pim.Yes
	}
	return pim.No
}
