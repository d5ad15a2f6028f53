// In the place of @lezer/common, of which the commands use two names.
export class NodeProp {}
NodeProp.closedBy = NodeProp.openedBy = {};
