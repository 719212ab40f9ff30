// Package tenant compares what the settings declare of a Microsoft Entra tenant with what stands there, and makes the
// plan that leads from the one to the other: groups, rules of PIM for Groups, eligibilities. Compare is pure. Apply orders
// the steps of a plan, tries them again where that helps, and leaves what each does to a Changer. Nothing is ever planned to be
// deleted; what is there and not declared is reported.
//
// Group names and user principal names are looked up once and stand for the object ids that were found; every step that
// changes something names ids.
package tenant
