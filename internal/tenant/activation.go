package tenant

import "elevate/internal/pim"

// Activation is how PIM's rules for activations differ from a role's, by the same comparison that a plan is made with: so whoever
// knows no more than these rules never comes to another end. What is not read of a pim.Policy is left out.
func Activation(r Role, a Actual, p pim.Policy) []Change {
	r.Rules.Mail = nil
	c := &comparison{wanted: Wanted{Roles: []Role{r}}, actual: a}
	var changes []Change
	for _, d := range c.differences(r, Policy{Policy: p, Permanent: true}, true) {
		changes = append(changes, d.changes...)
	}
	return changes
}
