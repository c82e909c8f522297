// Memory is measured, so nothing else may run meanwhile.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
