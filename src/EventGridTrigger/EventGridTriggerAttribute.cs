using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

[assembly: ExtensionInformation("Microsoft.Azure.WebJobs.Extensions.EventGrid", "3.3.0")]

namespace DicomServerless.EventGridTrigger;

/// <summary>
/// Marks the parameter of a function that Event Grid calls. It names the host's own extension for it, as Microsoft's attribute of this name does, whose package
/// brings nothing else that is needed here. The build looks for such attributes in other assemblies than that of the functions.
/// </summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class EventGridTriggerAttribute : TriggerBindingAttribute;
