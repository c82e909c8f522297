using DicomServerless.Dicom.Network;

namespace DicomServerless.Unit.Network;

/// <summary>PS3.8 table 9-10, transcribed a second time and the other way round: by state, with the next state beside the action.</summary>
public sealed class StateTableTests
{
    // state: event=action>next state. What is not listed is blank. AE-6 and AR-8 lead to the first or the second state.
    private const string Expected = """
        1: 1=AE-1>4 5=AE-5>2
        2: 3=AA-1>13 4=AA-1>13 6=AE-6>3/13 10=AA-1>13 12=AA-1>13 13=AA-1>13 16=AA-2>1 17=AA-5>1 18=AA-2>1 19=AA-1>13
        3: 3=AA-8>13 4=AA-8>13 6=AA-8>13 7=AE-7>6 8=AE-8>13 10=AA-8>13 12=AA-8>13 13=AA-8>13 15=AA-1>13 16=AA-3>1 17=AA-4>1 19=AA-8>13
        4: 2=AE-2>5 15=AA-2>1 17=AA-4>1
        5: 3=AE-3>6 4=AE-4>1 6=AA-8>13 10=AA-8>13 12=AA-8>13 13=AA-8>13 15=AA-1>13 16=AA-3>1 17=AA-4>1 19=AA-8>13
        6: 3=AA-8>13 4=AA-8>13 6=AA-8>13 9=DT-1>6 10=DT-2>6 11=AR-1>7 12=AR-2>8 13=AA-8>13 15=AA-1>13 16=AA-3>1 17=AA-4>1 19=AA-8>13
        7: 3=AA-8>13 4=AA-8>13 6=AA-8>13 10=AR-6>7 12=AR-8>9/10 13=AR-3>1 15=AA-1>13 16=AA-3>1 17=AA-4>1 19=AA-8>13
        8: 3=AA-8>13 4=AA-8>13 6=AA-8>13 9=AR-7>8 10=AA-8>13 12=AA-8>13 13=AA-8>13 14=AR-4>13 15=AA-1>13 16=AA-3>1 17=AA-4>1 19=AA-8>13
        9: 3=AA-8>13 4=AA-8>13 6=AA-8>13 10=AA-8>13 12=AA-8>13 13=AA-8>13 14=AR-9>11 15=AA-1>13 16=AA-3>1 17=AA-4>1 19=AA-8>13
        10: 3=AA-8>13 4=AA-8>13 6=AA-8>13 10=AA-8>13 12=AA-8>13 13=AR-10>12 15=AA-1>13 16=AA-3>1 17=AA-4>1 19=AA-8>13
        11: 3=AA-8>13 4=AA-8>13 6=AA-8>13 10=AA-8>13 12=AA-8>13 13=AR-3>1 15=AA-1>13 16=AA-3>1 17=AA-4>1 19=AA-8>13
        12: 3=AA-8>13 4=AA-8>13 6=AA-8>13 10=AA-8>13 12=AA-8>13 13=AA-8>13 14=AR-4>13 15=AA-1>13 16=AA-3>1 17=AA-4>1 19=AA-8>13
        13: 3=AA-6>13 4=AA-6>13 6=AA-7>13 10=AA-6>13 12=AA-6>13 13=AA-6>13 16=AA-2>1 17=AR-5>1 18=AA-2>1 19=AA-7>13
        """;

    [Fact]
    public void Every_cell_has_the_standards_action_and_next_state()
    {
        var expected = Expected.Split('\n').Select(line => line.Trim().Split(": ")).ToDictionary(
            parts => int.Parse(parts[0]), parts => parts[1].Split(' ').Select(cell => cell.Split('='))
                .ToDictionary(cell => int.Parse(cell[0]), cell => cell[1]));
        var (cells, filled) = (0, 0);
        for (var state = 1; state <= 13; state++)
        {
            for (var happened = 1; happened <= 19; happened++, cells++)
            {
                var action = StateTable.Find((State)state, (Event)happened);
                if (!expected[state].TryGetValue(happened, out var cell))
                {
                    Assert.True(action == DicomServerless.Dicom.Network.Action.None, $"Sta{state} Evt{happened} is blank in the standard but {action} here.");
                    continue;
                }
                filled++;
                var name = action.ToString().ToUpperInvariant();
                var (first, second) = ((int)StateTable.Next(action), (int)StateTable.Next(action, second: true));
                Assert.Equal($"Sta{state} Evt{happened} {cell}",
                    $"Sta{state} Evt{happened} {name[..2]}-{name[2..]}>{(first == second ? $"{first}" : $"{first}/{second}")}");
            }
        }
        Assert.Equal(247, cells);
        Assert.Equal(expected.Values.Sum(row => row.Count), filled);
    }
}
