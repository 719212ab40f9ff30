package simentra

type assignmentPrinter func(*Server, *assignment) map[string]any

func listAssignments(resource string, view assignmentPrinter) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		in, e := c.scope()
		if e != nil {
			return refuse(e)
		}
		if e := s.maySee(c, in); e != nil {
			return refuse(e)
		}
		return s.list(c, contextPIM+resource, s.assignmentViews(c, in, view))
	}
}

func (s *Server) assignmentViews(c *call, in scope, view assignmentPrinter) []map[string]any {
	var views []map[string]any
	for _, g := range s.dir.groups {
		if in.group != "" && g.ID != in.group {
			continue
		}
		for _, a := range s.assignmentsOf(g, c.now) {
			if in.principal == "" || a.principal == in.principal {
				views = append(views, view(s, a))
			}
		}
	}
	return views
}

func myAssignments(resource string, view assignmentPrinter) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		if c.who.app || c.params["on"] != "principal" {
			return refuse(badRequest("Invalid value '%s' for filterByCurrentUser.", c.params["on"]))
		}
		return s.list(c, contextPIM+resource, s.assignmentViews(c, scope{principal: c.who.oid}, view))
	}
}

func getAssignment(resource string, view assignmentPrinter) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		for _, g := range s.dir.groups {
			for _, a := range s.assignmentsOf(g, c.now) {
				if a.id != c.params["id"] {
					continue
				}
				if e := s.maySee(c, scope{a.group, a.principal}); e != nil {
					return refuse(e)
				}
				return s.single(c, contextPIM+resource, view(s, a))
			}
		}
		return refuse(errNoAssignment.with(""))
	}
}
