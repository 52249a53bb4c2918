// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What real tokens do: nothing is returned from transfer, a fee may be taken, and addresses can be blocked.
contract Token {
    event Transfer(address indexed from, address indexed to, uint256 value);

    string public symbol = "USDt";
    uint8 public immutable decimals;
    uint256 public feePercent;
    address public immutable owner = msg.sender;
    mapping(address => uint256) public balanceOf;
    mapping(address => bool) public blocked;

    constructor(uint8 places) {
        decimals = places;
        balanceOf[msg.sender] = type(uint128).max;
    }

    function setFee(uint256 percent) external { feePercent = percent; }

    function setBlocked(address account, bool isBlocked) external { blocked[account] = isBlocked; }

    function transfer(address to, uint256 value) external {
        require(!blocked[msg.sender] && !blocked[to], "blocked");
        require(balanceOf[msg.sender] >= value, "funds");
        uint256 fee = value * feePercent / 100;
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value - fee;
        emit Transfer(msg.sender, to, value - fee);
        if (fee > 0) {
            balanceOf[owner] += fee;
            emit Transfer(msg.sender, owner, fee);
        }
    }
}
