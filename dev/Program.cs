using System.CommandLine;
using DicomServerless.Dev;

var functionsPort = new Option<int>("--functions-port") { Description = "Port of the DICOMweb service.", DefaultValueFactory = _ => 7071 };
var dimsePort = new Option<int>("--dimse-port") { Description = "Port of the gateway for DIMSE; its AE title is DICOMGW.", DefaultValueFactory = _ => 11112 };
var dashboardPort = new Option<int>("--dashboard-port") { Description = "Port of the gateway's dashboard and API.", DefaultValueFactory = _ => 8042 };
var azuritePort = new Option<int>("--azurite-port")
    { Description = "First of the three ports of Azurite (blob, queue, table).", DefaultValueFactory = _ => 10000 };
var data = new Option<string>("--data") { Description = "Folder of everything that is kept between runs.", DefaultValueFactory = _ => Folders.DefaultData };
var noSamples = new Option<bool>("--no-samples") { Description = "Send no sample studies." };
var host = new Option<string>("--host")
    { Description = "How the DICOMweb service runs: alone, or func for `func start` of the Azure Functions Core Tools.", DefaultValueFactory = _ => "alone" };
host.AcceptOnlyFromAmong("alone", "func");
var command = new RootCommand("Runs the whole system on this machine: storage, the DICOMweb service with its events and the gateway, with sample "
    + "studies. Ctrl-C ends all of it.")
{
    functionsPort, dimsePort, dashboardPort, azuritePort, data, noSamples, host,
};
command.SetAction((parsed, cancellationToken) => new LocalSystem(new DevOptions(
    parsed.GetValue(functionsPort), parsed.GetValue(dimsePort), parsed.GetValue(dashboardPort), parsed.GetValue(azuritePort),
        Path.GetFullPath(parsed.GetValue(data)!), !parsed.GetValue(noSamples), parsed.GetValue(host) == "func")).RunAsync(cancellationToken));
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) });
