package entra

import (
	"context"
	"slices"

	"github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
)

// eligibilities collects what people are eligible for, from the filter by person and from the groups' own lists.
type eligibilities struct {
	people  []pim.PrincipalID
	found   map[pim.PrincipalID][]pim.Eligibility
	missing map[pim.PrincipalID]int // readings that are still to come
}

// askEligible asks by person, and for each group who is eligible for it; where that is another group, whether the people
// are in it. A person is answered for when every reading about them is.
func (v *view) askEligible(ctx context.Context, people []pim.PrincipalID, groups []pim.GroupID) {
	if len(people) == 0 {
		return
	}
	e := &eligibilities{people: people, found: map[pim.PrincipalID][]pim.Eligibility{}, missing: map[pim.PrincipalID]int{}}
	for _, person := range people {
		e.missing[person] = 1 + len(groups)
	}
	for _, person := range people {
		v.askEligibilities(ctx, "principalId eq "+quoted(person), nil, func(list []eligible) []*reading {
			for _, one := range list {
				e.add(person, one.Eligibility)
			}
			v.settleEligible(e, person)
			return nil
		})
	}
	for _, group := range groups {
		v.askEligibilities(ctx, "groupId eq "+quoted(group), []string{"principal"}, func(list []eligible) []*reading {
			return v.throughGroups(ctx, e, list)
		})
	}
}

// askMayHave asks who is eligible for a group, with their names.
func (v *view) askMayHave(ctx context.Context, group pim.GroupID) {
	v.askEligibilities(ctx, "groupId eq "+quoted(group), []string{"principal"}, func(list []eligible) []*reading {
		found := []pim.Eligibility{}
		for _, one := range list {
			found = append(found, one.Eligibility)
		}
		v.answer.MayHave[group] = found
		return nil
	})
}

// eligible is an eligibility and whether a group holds it, or may: Graph need not say what its principal is.
type eligible struct {
	pim.Eligibility
	byGroup bool
}

func (v *view) askEligibilities(ctx context.Context, filter string, expand []string, keep func([]eligible) []*reading) {
	info, err := v.client.questions.groupAccess().EligibilityScheduleInstances().ToGetRequestInformation(ctx,
		&identitygovernance.PrivilegedAccessGroupEligibilityScheduleInstancesRequestBuilderGetRequestConfiguration{
			QueryParameters: &identitygovernance.PrivilegedAccessGroupEligibilityScheduleInstancesRequestBuilderGetQueryParameters{
				Filter: &filter, Expand: expand,
			},
		})
	var found []eligible
	list(v, "eligible", info, err, models.CreatePrivilegedAccessGroupEligibilityScheduleInstanceCollectionResponseFromDiscriminatorValue,
		func(i models.PrivilegedAccessGroupEligibilityScheduleInstanceable) error {
			_, byGroup := i.GetPrincipal().(models.Groupable)
			one := eligibilityOf(i)
			if i.GetPrincipal() != nil {
				one.Name = nameIn(i.GetPrincipal())
			}
			found = append(found, eligible{one, byGroup || i.GetPrincipal() == nil})
			return nil
		}, func() []*reading { return keep(found) })
}

// throughGroups takes what one group's list says of the people themselves, and asks whether they are in the groups it names.
func (v *view) throughGroups(ctx context.Context, e *eligibilities, list []eligible) []*reading {
	var holders []string
	for _, one := range list {
		switch holder := string(one.Principal); {
		case slices.Contains(e.people, one.Principal):
			e.add(one.Principal, one.Eligibility)
		case one.byGroup && !slices.Contains(holders, holder):
			holders = append(holders, holder)
		}
	}
	var more []*reading
	for _, person := range e.people {
		for chunk := range slices.Chunk(holders, batchSize) { // checkMemberGroups takes as many as a batch
			r, err := v.client.memberOf(ctx, "eligible", person, chunk, func(in map[string]bool) []*reading {
				e.addThrough(person, list, in)
				v.settleEligible(e, person)
				return nil
			})
			if err != nil {
				v.failed = append(v.failed, err)
				continue
			}
			e.missing[person]++
			more = append(more, r)
		}
		v.settleEligible(e, person)
	}
	return more
}

func (e *eligibilities) addThrough(person pim.PrincipalID, list []eligible, in map[string]bool) {
	for _, one := range list {
		if one.byGroup && in[string(one.Principal)] {
			e.add(person, one.Eligibility)
		}
	}
}

func (e *eligibilities) add(person pim.PrincipalID, one pim.Eligibility) {
	if !slices.Contains(e.found[person], one) {
		e.found[person] = append(e.found[person], one)
	}
}

func (v *view) settleEligible(e *eligibilities, person pim.PrincipalID) {
	if e.missing[person]--; e.missing[person] == 0 {
		v.answer.Eligible[person] = e.found[person]
	}
}
