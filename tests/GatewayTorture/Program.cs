using System.Globalization;
using DicomServerless.Shared;

// usage: dotnet run -c Release --project tests/GatewayTorture -- [INSTANCES] [ASSOCIATIONS] [KILLS] [SEED]
//        dotnet run -c Release --project tests/GatewayTorture -- soak [MINUTES]
// The first stores through the gateway and a faulty link while everything is killed at random, and counts what is left; the second looks for memory, handles
// and threads that grow.
if (args is ["soak", ..])
{
    var growth = await GatewaySoak.RunAsync(TimeSpan.FromMinutes(Number(1, 60)), Console.WriteLine);
    foreach (var problem in growth) Console.WriteLine(problem);
    return growth.Count == 0 ? 0 : 1;
}
var seed = Number(3, Environment.TickCount);
Console.WriteLine($"instances {Number(0, 5_000)}, associations {Number(1, 4)}, kills {Number(2, 20)}, seed {seed}");
var tally = await GatewayTorture.RunAsync(Number(0, 5_000), Number(1, 4), Number(2, 20), seed, Console.WriteLine);
Console.WriteLine(tally);
return tally.Problems.Count == 0 ? 0 : 1;

int Number(int position, int otherwise) => args.Length > position ? int.Parse(args[position], CultureInfo.InvariantCulture) : otherwise;
